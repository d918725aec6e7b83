// v2 on Fargate: a service whose task tells how its image was loaded.
import { SociIndexV2Build } from 'cdk-soci'
import { exampleImage, expectIndexed, expectLazy, fargateService, integTest } from './support.ts'

const { stack, integ } = integTest('FargateService')
const index = SociIndexV2Build.fromDockerImageAsset(stack, 'Index', exampleImage(stack, 'Image'))
const log = fargateService(stack, index.toEcsDockerImageCode())

expectIndexed(integ, index.repository.repositoryName, index.outputImageTag).next(expectLazy(integ, log))
