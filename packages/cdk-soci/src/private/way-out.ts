import type * as ec2 from 'aws-cdk-lib/aws-ec2'
import { DependencyGroup } from 'constructs'

const ways = new WeakMap<ec2.IVpc, DependencyGroup>()

/**
 * What has to be there before something in the VPC can reach AWS: its routes, NAT gateways and endpoints, and what is added later. A function
 * needs none of them to be made, but to answer CloudFormation when it is called.
 */
export function wayOut(vpc: ec2.IVpc): DependencyGroup {
  const way = ways.get(vpc) ?? new DependencyGroup(vpc)
  ways.set(vpc, way)
  return way
}
