// Amazon SQS: the batches that Lambda gets from the queue ("Using Lambda with Amazon SQS" in its developer guide), and what is sent there.
import type { SQSClient } from '@aws-sdk/client-sqs'
import { printable } from 'sociable'
import { withAwsClient } from '../aws-client.js'
import { isObject } from '../event.js'
import { log } from '../log.js'

export interface SqsBatch {
  readonly Records: readonly SqsMessage[]
}

export interface SqsMessage {
  readonly messageId: string
  readonly receiptHandle: string
  readonly body: string
  readonly attributes: {
    /** How often it was received, this time included. */
    readonly ApproximateReceiveCount: string
    /** Milliseconds since 1970. */
    readonly SentTimestamp: string
  }
  readonly eventSource: 'aws:sqs'
}

/** Messages of one call (SendMessageBatch in the API reference). */
const BATCH = 10
/** Seconds: the first pause, three times as long after each further try, and the longest one. */
const FIRST_PAUSE = 20
const LONGEST_PAUSE = 900

export function isSqsBatch(event: unknown): event is SqsBatch {
  if (!isObject(event) || !Array.isArray(event.Records) || event.Records.length === 0) return false
  return event.Records.every((record) => isObject(record) && record.eventSource === 'aws:sqs')
}

export async function sendMessages(url: string, messages: readonly object[], signal: AbortSignal): Promise<void> {
  const { SendMessageBatchCommand } = await import('@aws-sdk/client-sqs')
  await withSqs(async (client) => {
    for (let from = 0; from < messages.length; from += BATCH) {
      const Entries = messages
        .slice(from, from + BATCH)
        .map((message, i) => ({ Id: String(i), MessageBody: JSON.stringify(message) }))
      const command = new SendMessageBatchCommand({ QueueUrl: url, Entries })
      const { Failed = [] } = await client.send(command, { abortSignal: signal })
      const [first] = Failed
      if (first !== undefined)
        throw new Error(`${Failed.length} messages could not be sent to the queue: ${first.Code}: ${first.Message}`)
    }
  })
}

/** Sends a message to the dead-letter queue, the reason beside it. */
export async function sendToDeadLetters(url: string, body: string, reason: string): Promise<void> {
  const { SendMessageCommand } = await import('@aws-sdk/client-sqs')
  const command = new SendMessageCommand({
    QueueUrl: url,
    MessageBody: body,
    MessageAttributes: { reason: { DataType: 'String', StringValue: printable(reason).slice(0, 1000) || 'unknown' } },
  })
  await withSqs((client) => client.send(command))
}

/** Seconds until the next try. Not the same for all that failed together. */
export function pauseAfter({ attributes }: SqsMessage): number {
  const tries = Math.max(1, Number(attributes.ApproximateReceiveCount) || 1)
  return Math.min(LONGEST_PAUSE, FIRST_PAUSE * 3 ** (tries - 1)) * (0.75 + Math.random() / 4)
}

/**
 * Lets a message that goes back to the queue be received again after so many seconds, in place of the queue's visibility timeout: that is longer than the
 * function may run. Where that is refused, the timeout stays.
 */
export async function shortenPause(url: string, { receiptHandle }: SqsMessage, seconds: number): Promise<void> {
  try {
    const { ChangeMessageVisibilityCommand } = await import('@aws-sdk/client-sqs')
    const command = new ChangeMessageVisibilityCommand({
      QueueUrl: url,
      ReceiptHandle: receiptHandle,
      VisibilityTimeout: Math.round(seconds),
    })
    await withSqs((client) => client.send(command))
  } catch (error) {
    log('the pause before the next try stays as long as the queue has it', { error: (error as Error).message })
  }
}

async function withSqs<Result>(use: (client: SQSClient) => Promise<Result>): Promise<Result> {
  const { SQSClient } = await import('@aws-sdk/client-sqs')
  return await withAwsClient((options) => new SQSClient(options), use)
}
