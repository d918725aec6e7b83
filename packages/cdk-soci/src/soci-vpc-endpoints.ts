import * as ec2 from 'aws-cdk-lib/aws-ec2'
import { Construct } from 'constructs'
import { addWayOut } from './private/way-out'

/** What runs in a VPC without internet access. */
export interface SociVpcEndpointUse {
  /** Indexes are built by `SociCompute.codeBuild()`. @default false */
  readonly codeBuild?: boolean
  /** Indexes are built by `SociCompute.stepFunctions()`. @default false */
  readonly stepFunctions?: boolean
  /** Indexes are built by `SociIndexOnPush`. @default false */
  readonly indexOnPush?: boolean
  /**
   * Images are copied from another registry with credentials from Secrets Manager. The VPC needs access to that registry, for example through a NAT gateway.
   * @default false
   */
  readonly credentials?: boolean
  /** Fargate tasks that write logs to CloudWatch run in the VPC. @default false */
  readonly tasks?: boolean
}

/** Properties of `SociVpcEndpoints`. */
export interface SociVpcEndpointsProps extends SociVpcEndpointUse {
  readonly vpc: ec2.IVpc
  /** Subnets for the interface endpoints, one per availability zone. @default - the private subnets of the VPC, or the isolated ones if it has no private subnets */
  readonly subnets?: ec2.SubnetSelection
  /** Security groups of the interface endpoints. They must allow inbound HTTPS. @default - a new one for each endpoint, which allows HTTPS from the VPC */
  readonly securityGroups?: ec2.ISecurityGroup[]
  /** Services that the VPC already has endpoints for. EC2 refuses a second endpoint with the same private DNS name. @default - none */
  readonly existing?: string[]
}

const INTERFACES: Readonly<Record<string, ec2.InterfaceVpcEndpointAwsService>> = {
  'ecr.api': ec2.InterfaceVpcEndpointAwsService.ECR,
  'ecr.dkr': ec2.InterfaceVpcEndpointAwsService.ECR_DOCKER,
  logs: ec2.InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS,
  codebuild: ec2.InterfaceVpcEndpointAwsService.CODEBUILD,
  states: ec2.InterfaceVpcEndpointAwsService.STEP_FUNCTIONS,
  sqs: ec2.InterfaceVpcEndpointAwsService.SQS,
  events: ec2.InterfaceVpcEndpointAwsService.CLOUDWATCH_EVENTS,
  secretsmanager: ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
}
const GATEWAY = 's3'

/**
 * The endpoints that a VPC without internet access needs to build indexes in it: a gateway endpoint for S3, where Amazon ECR stores layers and CloudFormation receives
 * responses, and an interface endpoint for each other service. They only reach their own region.
 */
export class SociVpcEndpoints extends Construct {
  /** Names of the services: the last part of the endpoints' service names, `com.amazonaws.REGION.NAME`. */
  static services(use: SociVpcEndpointUse = {}): string[] {
    const { codeBuild, stepFunctions, indexOnPush, credentials, tasks } = use
    return [
      'ecr.api', // the login
      'ecr.dkr', // manifests, and uploads of indexes
      GATEWAY, // layers, and answers to CloudFormation
      ...(codeBuild ? ['codebuild'] : []),
      ...(stepFunctions || indexOnPush ? ['states'] : []),
      ...(indexOnPush ? ['sqs', 'events'] : []),
      ...(credentials ? ['secretsmanager'] : []),
      ...(codeBuild || tasks ? ['logs'] : []), // what Lambda logs needs none
    ]
  }

  constructor(scope: Construct, id: string, props: SociVpcEndpointsProps) {
    super(scope, id)
    const { vpc, subnets, securityGroups, existing = [] } = props
    checkExisting(existing)
    addWayOut(vpc, this)
    for (const name of SociVpcEndpoints.services(props).filter((service) => !existing.includes(service))) {
      const service = INTERFACES[name]
      if (service === undefined)
        new ec2.GatewayVpcEndpoint(this, name, { vpc, service: ec2.GatewayVpcEndpointAwsService.S3 })
      else
        new ec2.InterfaceVpcEndpoint(this, name, {
          vpc,
          service,
          ...(subnets && { subnets }),
          ...(securityGroups && { securityGroups }),
        })
    }
  }
}

/** @throws Error for a service that is none of those */
function checkExisting(existing: readonly string[]): void {
  const all = [...Object.keys(INTERFACES), GATEWAY]
  for (const name of existing)
    if (!all.includes(name)) throw new Error(`existing has "${name}": it must be one of ${all.join(', ')}`)
}
