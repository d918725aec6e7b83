import type { Duration } from 'aws-cdk-lib'
import type * as ec2 from 'aws-cdk-lib/aws-ec2'
import type * as iam from 'aws-cdk-lib/aws-iam'
import type * as kms from 'aws-cdk-lib/aws-kms'
import type * as lambda from 'aws-cdk-lib/aws-lambda'
import type * as logs from 'aws-cdk-lib/aws-logs'
import type * as sqs from 'aws-cdk-lib/aws-sqs'

/** Options of every kind of compute. */
export interface ComputeOptions {
  /**
   * The VPC that it runs in. It needs access to Amazon ECR, to S3 (for responses to CloudFormation), and to the other services of the compute. See `SociVpcEndpoints`.
   * @default - none: it runs outside of your VPCs, with internet access
   */
  readonly vpc?: ec2.IVpc
  /** Subnets that it runs in. @default - the private subnets of the VPC, or the isolated ones if it has no private subnets */
  readonly vpcSubnets?: ec2.SubnetSelection
  /** Security groups. @default - a new one that allows all outbound traffic */
  readonly securityGroups?: ec2.ISecurityGroup[]
  /**
   * The role of the function. The permissions are added as a separate inline policy. An imported role that cannot be changed must have them already.
   * @default - a new role
   */
  readonly role?: iam.IRole
  /** The log group. @default - a new one, which is retained when the stack is deleted, because it explains failed deployments */
  readonly logGroup?: logs.ILogGroup
  /** How long logs are kept. Cannot be combined with `logGroup`. @default RetentionDays.ONE_MONTH */
  readonly logRetention?: logs.RetentionDays
  /** Encrypts the log group. Cannot be combined with `logGroup`. @default - an AWS owned key */
  readonly encryptionKey?: kms.IKey
}

/** Options of a Lambda function that indexes images. */
export interface LambdaFunctionOptions extends ComputeOptions {
  /** MiB of memory, 512 to 10240. Lambda allocates one processor per 1769. @default 3538, which gives two processors for the two threads that read a layer */
  readonly memorySize?: number
  /** Architecture of the function. It does not depend on the images. @default Architecture.ARM_64, which costs less */
  readonly architecture?: lambda.Architecture
  /** A Node.js runtime of Lambda, version 22 or newer. @default nodejs24.x */
  readonly runtime?: lambda.Runtime
  /** Time for one index, 1 to 15 minutes, which is Lambda's limit. @default Duration.minutes(15) */
  readonly timeout?: Duration
  /** Traces of AWS X-Ray. @default Tracing.DISABLED */
  readonly tracing?: lambda.Tracing
}

/** Options of `SociCompute.lambdaFunction()`. */
export interface LambdaComputeOptions extends LambdaFunctionOptions {
  /**
   * Concurrency of the account's Lambda quota that only this function has, and that it never exceeds: at least 1. Images beyond it wait.
   * @default - none: up to the account's quota
   */
  readonly reservedConcurrency?: number
  /**
   * Gets the events of invocations that failed. CloudFormation receives a response in any case. An event contains the presigned URL for that response, so encrypt the queue
   * and limit who can read it.
   * @default - none
   */
  readonly deadLetterQueue?: sqs.IQueue
}
