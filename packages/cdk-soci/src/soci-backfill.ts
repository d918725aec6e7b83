import * as iam from 'aws-cdk-lib/aws-iam'
import type * as lambda from 'aws-cdk-lib/aws-lambda'
import type * as logs from 'aws-cdk-lib/aws-logs'
import type * as s3 from 'aws-cdk-lib/aws-s3'
import { Construct } from 'constructs'
import { acknowledge } from './private/acknowledge'
import { BOUNDED_CONCURRENCY, NO_DEAD_LETTERS } from './private/acknowledged-rules'
import { MEMORY } from './private/answering-function'
import type { BackfillEnvironment } from './private/backfill-environment'
import { grantRuns, runsBucket, runsMachine } from './private/backfill-runs'
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
    this.bucket = props.bucket ?? runsBucket(this, props.encryptionKey)
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
    grantRuns(made, this.bucket)
    acknowledge(made.handler, NO_DEAD_LETTERS)
    acknowledge(made.handler, BOUNDED_CONCURRENCY)
    this.stateMachineArn = runsMachine(this, made.handler, this.bucket, maxConcurrency)
    this.handler = made.handler
    this.logGroup = made.log.logGroup
  }
}

function concurrencyOf({ maxConcurrency = CONCURRENCY.default }: SociBackfillProps): number {
  const { least, most } = CONCURRENCY
  if (!Number.isInteger(maxConcurrency) || maxConcurrency < least || maxConcurrency > most)
    throw new Error(`maxConcurrency is ${maxConcurrency}: it must be a whole number from ${least} to ${most}`)
  return maxConcurrency
}
