import { ArnFormat, Stack } from 'aws-cdk-lib'
import * as iam from 'aws-cdk-lib/aws-iam'
import type * as lambda from 'aws-cdk-lib/aws-lambda'
import type * as logs from 'aws-cdk-lib/aws-logs'
import * as s3 from 'aws-cdk-lib/aws-s3'
import * as stepfunctions from 'aws-cdk-lib/aws-stepfunctions'
import { Construct } from 'constructs'
import { acknowledge } from './private/acknowledge'
import {
  BOUNDED_CONCURRENCY,
  EXECUTIONS,
  INLINE_POLICY,
  NO_DEAD_LETTERS,
  NO_EXECUTION_LOG,
  RUN_BUCKET,
  RUN_FILES,
} from './private/acknowledged-rules'
import { MEMORY } from './private/answering-function'
import type { BackfillEnvironment } from './private/backfill-environment'
import { backfillMachine } from './private/backfill-machine'
import { handlerFunction } from './private/handler-function'
import { grantImages, setIndexOptions } from './private/on-push-function'
import { onPushOptions } from './private/on-push-options'
import type { SociBackfillProps } from './soci-backfill-options'

const CONCURRENCY = { default: 10, least: 1, most: 1_000 }

/**
 * A state machine that gives the images of Amazon ECR repositories a SOCI index: up to 10,000 in a run, each by a function of its own. A run is started by
 * `aws stepfunctions start-execution`; running it again continues. By default images become SOCI-enabled images with the tag `<tag>-soci` in the same
 * repository.
 */
export class SociBackfill extends Construct {
  /** Indexes images. */
  readonly handler: lambda.IFunction
  /** Has the log of the function. */
  readonly logGroup: logs.ILogGroup
  /** Has the list of images of each run, their results and the summary, under `runs/`. */
  readonly bucket: s3.IBucket
  /** ARN of the state machine, for `aws stepfunctions start-execution`. */
  readonly stateMachineArn: string

  constructor(scope: Construct, id: string, props: SociBackfillProps = {}) {
    super(scope, id)
    const { maxConcurrency: _, bucket: __, ...pushProps } = props
    const options = onPushOptions(this, { ...pushProps, largeImages: false, reconcile: true })
    const maxConcurrency = concurrencyOf(props)
    this.bucket = props.bucket ?? this.makeBucket(props)
    const environment: BackfillEnvironment = {
      SOCI_FILTERS: options.filtersText,
      SOCI_INDEX_VERSION: options.indexVersion,
      SOCI_OUTPUT_TAG: options.outputTag,
      SOCI_BACKFILL_BUCKET: this.bucket.bucketName,
    }
    const made = handlerFunction(this, {
      description: 'Builds SOCI indexes for images that are in Amazon ECR (cdk-soci)',
      handler: 'backfillHandler',
      options: props,
      role: props.role ?? new iam.Role(this, 'Role', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') }),
      memorySize: props.memorySize ?? MEMORY.default,
      timeout: options.timeout,
      architecture: props.architecture,
      runtime: props.runtime,
      tracing: props.tracing,
      environment: { ...environment },
    })
    setIndexOptions(this, made, props)
    grantImages(this, made, options)
    const files = this.bucket.arnForObjects('runs/*')
    const grant = (actions: string[], ...resourceArns: string[]): void => {
      iam.Grant.addToPrincipal({ grantee: made.grantee, actions, resourceArns })
    }
    grant(['s3:GetObject', 's3:PutObject'], files)
    grant(['s3:ListBucket'], this.bucket.bucketArn)
    if (this.bucket.encryptionKey !== undefined)
      grant(['kms:Decrypt', 'kms:GenerateDataKey'], this.bucket.encryptionKey.keyArn)
    acknowledge(made.policy, RUN_FILES, `Resource::${files}`)
    acknowledge(made.handler, NO_DEAD_LETTERS)
    acknowledge(made.handler, BOUNDED_CONCURRENCY)

    this.stateMachineArn = this.makeMachine(made.handler, maxConcurrency)
    this.handler = made.handler
    this.logGroup = made.log.logGroup
  }

  private makeBucket({ encryptionKey }: SociBackfillProps): s3.Bucket {
    const bucket = new s3.Bucket(this, 'Bucket', {
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      encryption: encryptionKey === undefined ? s3.BucketEncryption.S3_MANAGED : s3.BucketEncryption.KMS,
      ...(encryptionKey && { encryptionKey }),
    })
    acknowledge(bucket, RUN_BUCKET)
    return bucket
  }

  private makeMachine(handler: lambda.IFunction, maxConcurrency: number): string {
    const stack = Stack.of(this)
    const role = new iam.Role(this, 'StateMachineRole', {
      assumedBy: new iam.ServicePrincipal('states.amazonaws.com'),
    })
    const lists = this.bucket.arnForObjects('runs/*/images.json')
    const statement = (actions: string[], ...resources: string[]) => new iam.PolicyStatement({ actions, resources })
    const policy = new iam.Policy(this, 'StateMachinePolicy', {
      roles: [role],
      statements: [
        statement(['lambda:InvokeFunction'], handler.functionArn),
        statement(['s3:GetObject'], lists),
        ...(this.bucket.encryptionKey === undefined
          ? []
          : [statement(['kms:Decrypt'], this.bucket.encryptionKey.keyArn)]),
      ],
    })
    acknowledge(policy, RUN_FILES, `Resource::${lists}`)
    acknowledge(policy, INLINE_POLICY)
    const definition = backfillMachine({
      functionArn: handler.functionArn,
      bucketName: this.bucket.bucketName,
      maxConcurrency,
    })
    const machine = new stepfunctions.CfnStateMachine(this, 'StateMachine', {
      roleArn: role.roleArn,
      definitionString: stack.toJsonString(definition),
    })
    machine.node.addDependency(policy)
    acknowledge(machine, NO_EXECUTION_LOG)
    // The map's executions ("IAM policies for using Distributed Map states" in the developer guide)
    const name = stack.splitArn(machine.attrArn, ArnFormat.COLON_RESOURCE_NAME).resourceName!
    const executions = stack.formatArn({
      service: 'states',
      resource: 'execution',
      resourceName: `${name}:*`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    })
    const map = new iam.Policy(this, 'MapPolicy', {
      roles: [role],
      statements: [
        statement(['states:StartExecution'], machine.attrArn),
        statement(['states:DescribeExecution', 'states:StopExecution'], executions),
      ],
    })
    acknowledge(map, EXECUTIONS, `Resource::${executions}`)
    acknowledge(map, INLINE_POLICY)
    return machine.attrArn
  }
}

function concurrencyOf({ maxConcurrency = CONCURRENCY.default }: SociBackfillProps): number {
  const { least, most } = CONCURRENCY
  if (!Number.isInteger(maxConcurrency) || maxConcurrency < least || maxConcurrency > most)
    throw new Error(`maxConcurrency is ${maxConcurrency}: it must be a whole number from ${least} to ${most}`)
  return maxConcurrency
}
