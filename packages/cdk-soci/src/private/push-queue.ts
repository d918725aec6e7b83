import { Duration } from 'aws-cdk-lib'
import * as iam from 'aws-cdk-lib/aws-iam'
import type * as kms from 'aws-cdk-lib/aws-kms'
import * as sqs from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'

/** Tries of a message. The handler itself ends sooner what no other try would mend. */
export const MAX_RECEIVE_COUNT = 5
const RETENTION = Duration.days(14) // the longest there is
/** Lambda's advice for queues: a message that a throttled function could not take in time would be received twice. */
const VISIBILITY = 6

export interface PushQueueProps {
  /** Of the function that reads the queue. */
  readonly timeout: Duration
  readonly encryptionKey?: kms.IKey | undefined
}

/** The queue that pushes come through, and the one where those end that failed for good. */
export class PushQueue extends Construct {
  readonly queue: sqs.Queue
  readonly deadLetterQueue: sqs.Queue

  constructor(scope: Construct, id: string, { timeout, encryptionKey }: PushQueueProps) {
    super(scope, id)
    const encryption = encryptionKey && {
      encryption: sqs.QueueEncryption.KMS,
      encryptionMasterKey: encryptionKey,
    }
    this.deadLetterQueue = new sqs.Queue(this, 'DeadLetters', { ...encryption, retentionPeriod: RETENTION })
    this.queue = new sqs.Queue(this, 'Pushes', {
      ...encryption,
      visibilityTimeout: Duration.seconds(timeout.toSeconds() * VISIBILITY),
      deadLetterQueue: { queue: this.deadLetterQueue, maxReceiveCount: MAX_RECEIVE_COUNT },
    })
    for (const queue of [this.queue, this.deadLetterQueue]) {
      // What newer releases of the CDK have options for
      if (encryptionKey === undefined)
        (queue.node.defaultChild as sqs.CfnQueue).addPropertyOverride('SqsManagedSseEnabled', true)
      queue.addToResourcePolicy(
        new iam.PolicyStatement({
          effect: iam.Effect.DENY,
          principals: [new iam.AnyPrincipal()],
          actions: ['sqs:*'],
          resources: [queue.queueArn],
          conditions: { Bool: { 'aws:SecureTransport': 'false' } },
        }),
      )
    }
  }
}
