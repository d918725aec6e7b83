import type { Duration } from 'aws-cdk-lib'
import type * as ec2 from 'aws-cdk-lib/aws-ec2'
import type * as iam from 'aws-cdk-lib/aws-iam'
import type * as kms from 'aws-cdk-lib/aws-kms'
import type * as lambda from 'aws-cdk-lib/aws-lambda'
import type * as logs from 'aws-cdk-lib/aws-logs'

/** What every kind of compute can be told. */
export interface ComputeOptions {
  /**
   * Where it runs. It must reach ECR, S3 (CloudFormation's answers go there) and what the kind of compute needs besides.
   * @default - in no VPC of yours, with the internet at hand
   */
  readonly vpc?: ec2.IVpc
  /** @default - the private subnets of the VPC, or if there are none the isolated ones */
  readonly vpcSubnets?: ec2.SubnetSelection
  /** @default - a new one that allows all traffic outwards */
  readonly securityGroups?: ec2.ISecurityGroup[]
  /**
   * Gets what is needed as an inline policy of its own; an imported role that may not be updated must have it already.
   * @default - a new one
   */
  readonly role?: iam.IRole
  /** Where the log goes. @default - a new one, which stays when the stack goes: a deployment that failed is explained there */
  readonly logGroup?: logs.ILogGroup
  /** How long the log is kept, where `logGroup` is not given. @default RetentionDays.ONE_MONTH */
  readonly logRetention?: logs.RetentionDays
  /** Encrypts the log, where `logGroup` is not given. @default - with a key of AWS */
  readonly encryptionKey?: kms.IKey
}

/** Options of `SociCompute.lambdaFunction()`. */
export interface LambdaComputeOptions extends ComputeOptions {
  /** MiB of memory, 512 to 10240; Lambda gives a processor for each 1769. @default 3538: two processors, for the two threads that a layer is read by */
  readonly memorySize?: number
  /** @default Architecture.ARM_64, which costs less */
  readonly architecture?: lambda.Architecture
  /** A Node.js of Lambda, 22 or newer. @default nodejs24.x, the one that Lambda supports for longest */
  readonly runtime?: lambda.Runtime
  /** Time for one index: at least 1 minute, at most 15, which is Lambda's limit. @default Duration.minutes(15) */
  readonly timeout?: Duration
}
