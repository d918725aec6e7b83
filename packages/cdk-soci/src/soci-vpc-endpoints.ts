import * as ec2 from 'aws-cdk-lib/aws-ec2'
import { Construct } from 'constructs'
import { addWayOut } from './private/way-out'

/** What is done in a VPC without a way to the internet. */
export interface SociVpcEndpointUse {
  /** Indexes are built by `SociCompute.codeBuild()`. @default false */
  readonly codeBuild?: boolean
  /** Indexes are built by `SociCompute.stepFunctions()`. @default false */
  readonly stepFunctions?: boolean
  /** Indexes are built by `SociIndexOnPush`. @default false */
  readonly indexOnPush?: boolean
  /**
   * Images are mirrored with a login from Secrets Manager. The registry that they come from needs a way of its own: a NAT gateway, or a private one.
   * @default false
   */
  readonly credentials?: boolean
  /** Fargate tasks that log to CloudWatch run there too. @default false */
  readonly tasks?: boolean
}

/** Where endpoints are made, and for what. */
export interface SociVpcEndpointsProps extends SociVpcEndpointUse {
  readonly vpc: ec2.IVpc
  /** Where the interfaces are: one subnet for each availability zone. @default - the private subnets of the VPC, or if there are none the isolated ones */
  readonly subnets?: ec2.SubnetSelection
  /** Of the interfaces; HTTPS must be let in. @default - a new one for each, which lets in HTTPS from the VPC */
  readonly securityGroups?: ec2.ISecurityGroup[]
  /** Services of the list that the VPC has endpoints for: a second one with the same private DNS name is refused by EC2. @default - none */
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
 * The endpoints that a VPC without a way to the internet needs for indexes to be built in it: a gateway for S3, where ECR keeps layers and
 * CloudFormation takes answers, and an interface for each other service. They reach their own region only.
 */
export class SociVpcEndpoints extends Construct {
  /** Names of the services, as they stand at the end of the endpoints' service names: `com.amazonaws.REGION.NAME`. */
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
