import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SecurityGroup, SubnetType, Vpc } from 'aws-cdk-lib/aws-ec2'
import { SociVpcEndpoints, type SociVpcEndpointsProps } from 'cdk-soci'
import { asText, newStack, ofType, resourcesOf } from './templates.js'

/** Service names of the endpoints in a VPC without a way out, and their properties. */
function endpoints(props: Omit<SociVpcEndpointsProps, 'vpc'> = {}) {
  const stack = newStack()
  const subnetConfiguration = [{ name: 'isolated', subnetType: SubnetType.PRIVATE_ISOLATED }]
  const vpc = new Vpc(stack, 'Vpc', { maxAzs: 2, natGateways: 0, subnetConfiguration })
  new SociVpcEndpoints(stack, 'Endpoints', { vpc, ...props })
  const made = Object.values(ofType(resourcesOf(stack), 'AWS::EC2::VPCEndpoint'))
  return new Map(made.map(({ Properties }) => [asText(Properties.ServiceName).split('<AWS::Region>.')[1]!, Properties]))
}

test('a gateway for S3, and interfaces for the rest, in the subnets that have no way out', () => {
  const made = endpoints()
  assert.deepEqual([...made.keys()].sort(), ['ecr.api', 'ecr.dkr', 's3'])
  assert.deepEqual([...made.keys()].sort(), SociVpcEndpoints.services().sort())
  assert.equal(made.get('s3')?.VpcEndpointType, 'Gateway')
  assert.equal((made.get('s3')?.RouteTableIds as unknown[] | undefined)?.length, 2)
  const api = made.get('ecr.api')
  assert.equal(api?.VpcEndpointType, 'Interface')
  assert.equal(api?.PrivateDnsEnabled, true)
  assert.equal((api?.SubnetIds as unknown[] | undefined)?.length, 2)
})

test('what the kinds of compute need besides', () => {
  assert.deepEqual(SociVpcEndpoints.services({ codeBuild: true }), ['ecr.api', 'ecr.dkr', 's3', 'codebuild', 'logs'])
  assert.deepEqual(SociVpcEndpoints.services({ stepFunctions: true }), ['ecr.api', 'ecr.dkr', 's3', 'states'])
  assert.deepEqual(SociVpcEndpoints.services({ indexOnPush: true }), [
    'ecr.api',
    'ecr.dkr',
    's3',
    'states',
    'sqs',
    'events',
  ])
  assert.deepEqual([...endpoints({ indexOnPush: true }).keys()].sort(), [
    'ecr.api',
    'ecr.dkr',
    'events',
    's3',
    'sqs',
    'states',
  ])
  const all = { codeBuild: true, stepFunctions: true, credentials: true, tasks: true }
  const names = ['codebuild', 'ecr.api', 'ecr.dkr', 'logs', 's3', 'secretsmanager', 'states']
  assert.deepEqual([...endpoints(all).keys()].sort(), names)
})

test('those that are there already are left out, and must be of the list', () => {
  assert.deepEqual([...endpoints({ existing: ['s3', 'ecr.api'] }).keys()], ['ecr.dkr'])
  assert.throws(() => endpoints({ existing: ['ecr'] }), /existing has "ecr": it must be one of ecr\.api, ecr\.dkr/)
})

test("security groups and subnets of the user's own", () => {
  const stack = newStack()
  const vpc = new Vpc(stack, 'Vpc', { maxAzs: 1, natGateways: 0 })
  const group = new SecurityGroup(stack, 'Group', { vpc })
  new SociVpcEndpoints(stack, 'Endpoints', { vpc, securityGroups: [group], subnets: { subnets: vpc.publicSubnets } })
  const resources = resourcesOf(stack)
  const [groupId] = Object.keys(ofType(resources, 'AWS::EC2::SecurityGroup'))
  const made = Object.values(ofType(resources, 'AWS::EC2::VPCEndpoint'))
  const interfaces = made.filter(({ Properties }) => Properties.VpcEndpointType === 'Interface')
  for (const { Properties } of interfaces) {
    assert.deepEqual((Properties.SecurityGroupIds as unknown[]).map(asText), [`<${groupId}.GroupId>`])
    assert.match((Properties.SubnetIds as unknown[]).map(asText).join(), /^<VpcPublicSubnet/)
  }
  assert.equal(interfaces.length, 2)
})
