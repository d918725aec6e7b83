// A VPC without internet access: the function and the task use the endpoints of SociVpcEndpoints only.
import { SubnetType, Vpc } from 'aws-cdk-lib/aws-ec2'
import { SociCompute, SociContainerImage, SociVpcEndpoints } from 'cdk-soci'
import { exampleImage, expectLazy, fargateService, integTest } from './support.ts'

const { stack, integ } = integTest('ClosedVpc')
const vpc = new Vpc(stack, 'Vpc', {
  maxAzs: 2,
  subnetConfiguration: [{ name: 'closed', subnetType: SubnetType.PRIVATE_ISOLATED }],
})
new SociVpcEndpoints(stack, 'Endpoints', { vpc, tasks: true })
const compute = SociCompute.lambdaFunction({ vpc })
const image = SociContainerImage.fromDockerImageAsset(exampleImage(stack, 'Image'), { compute })

expectLazy(integ, fargateService(stack, image, vpc))
