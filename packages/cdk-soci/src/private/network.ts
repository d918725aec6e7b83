import * as iam from 'aws-cdk-lib/aws-iam'
import type * as lambda from 'aws-cdk-lib/aws-lambda'
import type { Construct } from 'constructs'
import type { ComputeOptions } from '../compute-options'
import { acknowledge } from './acknowledge'
import { INLINE_POLICY, NETWORK_INTERFACES } from './acknowledged-rules'

/** What Lambda does in a VPC for a function (its developer guide, "Required IAM permissions"); only `*` can be named for them. */
const INTERFACE_ACTIONS = [
  'ec2:AssignPrivateIpAddresses',
  'ec2:CreateNetworkInterface',
  'ec2:DeleteNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:UnassignPrivateIpAddresses',
]

/** Where a function is attached to. */
export interface Network {
  readonly functionProps: Pick<lambda.FunctionOptions, 'vpc' | 'vpcSubnets' | 'securityGroups'>
  /** Lambda looks for the permissions when it makes the function, which therefore waits for them. */
  attach(handler: lambda.Function): void
}

export function networkOf(scope: Construct, role: iam.IRole, options: ComputeOptions): Network {
  const { vpc, vpcSubnets, securityGroups } = options
  if (vpc === undefined) return { functionProps: {}, attach: () => undefined }
  const policy = new iam.Policy(scope, 'NetworkPolicy', {
    statements: [new iam.PolicyStatement({ actions: INTERFACE_ACTIONS, resources: ['*'] })],
  })
  role.attachInlinePolicy(policy)
  acknowledge(policy, INLINE_POLICY)
  acknowledge(policy, NETWORK_INTERFACES, 'Resource::*')
  return {
    functionProps: { vpc, ...(vpcSubnets && { vpcSubnets }), ...(securityGroups && { securityGroups }) },
    // A route, too, as newer releases of the CDK do: it is called as soon as it is there, and has to answer
    attach: (handler) =>
      handler.node.addDependency(policy, vpc.selectSubnets(vpcSubnets).internetConnectivityEstablished),
  }
}

/** @throws Error where what belongs to a VPC is given without one */
export function checkNetwork({ vpc, vpcSubnets, securityGroups, logGroup, logRetention }: ComputeOptions): void {
  const alone = vpcSubnets !== undefined ? 'vpcSubnets' : securityGroups !== undefined ? 'securityGroups' : undefined
  if (vpc === undefined && alone !== undefined)
    throw new Error(`${alone} is given without a vpc: give the VPC that it belongs to, or leave it out`)
  if (securityGroups?.length === 0)
    throw new Error('securityGroups is empty: leave it out for a new one, or name at least one')
  if (logGroup !== undefined && logRetention !== undefined)
    throw new Error('logRetention is given with a logGroup, which has its own: leave one of them out')
}
