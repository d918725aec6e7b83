import * as ec2 from 'aws-cdk-lib/aws-ec2'
import { Dependable, type IConstruct, type IDependable } from 'constructs'

const added = new WeakMap<ec2.IVpc, IConstruct[]>()

/** Endpoints of the VPC that stand elsewhere than below it. */
export function addWayOut(vpc: ec2.IVpc, endpoints: IConstruct): void {
  added.set(vpc, [...(added.get(vpc) ?? []), endpoints])
}

/**
 * The endpoints of the VPC, those too that are added later: a function needs none to be made, but to answer CloudFormation when it is called. Its
 * subnets' routes it waits for anyway. Of what else is below the VPC something may wait for an index.
 */
export function wayOut(vpc: ec2.IVpc): IDependable {
  const way: IDependable = {}
  Dependable.implement(way, {
    get dependencyRoots() {
      return [...vpc.node.children.filter((child) => child instanceof ec2.VpcEndpoint), ...(added.get(vpc) ?? [])]
    },
  })
  return way
}
