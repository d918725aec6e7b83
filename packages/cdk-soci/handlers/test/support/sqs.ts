// Amazon SQS as Lambda's poller and the function meet it (SQS developer guide: "visibility timeout", "dead-letter queues"; Lambda developer guide: "Using Lambda with
// Amazon SQS"): a queue with a dead-letter queue, whose clock goes on when there is nothing else to do; and its API. EventBridge's PutEvents is there too.
import { createHash, randomUUID } from 'node:crypto'
import type { TestContext } from 'node:test'
import type { BatchAnswer } from '../../src/on-push/batch.js'
import type { SqsMessage } from '../../src/on-push/queue.js'
import { doubles } from './cloud.js'

export interface QueueOptions {
  /** Seconds. @default 5,400: six times the longest function's time */
  readonly visibility?: number
  /** Receives after which a message goes to the dead-letter queue. @default 4 */
  readonly maxReceiveCount?: number
}

interface Message {
  readonly id: string
  readonly body: string
  readonly sent: number
  readonly reason?: string
  received: number
  /** Seconds of the queue's clock. */
  visibleAt: number
  receipt: string
}

export interface SentEvent {
  readonly type: string
  readonly source: string
  readonly bus: string
  readonly resources: readonly string[]
  readonly detail: Readonly<Record<string, unknown>>
}

export interface Queue {
  /** What a function has to have in its environment to meet it. */
  readonly environment: Readonly<Record<string, string>>
  send(body: unknown): void
  /** The next messages, as Lambda gets them; when none is visible the clock goes on. Empty where there are none left. */
  receive(count: number): SqsMessage[]
  /** As `receive`, for one of several pollers: waits while what there is is with the others. */
  next(count: number): Promise<SqsMessage[]>
  /** What Lambda does with a function's answer: deletes what it does not name. */
  settle(messages: readonly SqsMessage[], answer: BatchAnswer): void
  readonly deadLetters: readonly { readonly body: string; readonly reason?: string }[]
  /** What EventBridge was given. */
  readonly events: SentEvent[]
  /** Seconds that have passed by its clock. */
  clock(): number
  /** Calls that are refused from now on, by action. */
  readonly refused: Set<string>
  readonly calls: string[]
}

export async function startQueue(t: TestContext, options: QueueOptions = {}): Promise<Queue> {
  const { visibility = 5_400, maxReceiveCount = 4 } = options
  const { listen } = await doubles()
  const messages = new Map<string, Message>()
  const deadLetters: { body: string; reason?: string }[] = []
  const events: SentEvent[] = []
  const refused = new Set<string>()
  const calls: string[] = []
  let clock = 0

  const send = (body: string): string => {
    const id = randomUUID()
    messages.set(id, { id, body, sent: Date.now(), received: 0, visibleAt: clock, receipt: '' })
    return id
  }

  const perform = (action: string, input: Record<string, never>): object => {
    const sendOne = (url: string, { MessageBody, MessageAttributes }: Record<string, string>): object => {
      const attributes = MessageAttributes as unknown as { reason?: { StringValue: string } } | undefined
      const reason = attributes?.reason?.StringValue
      if (url.endsWith('/dead')) deadLetters.push({ body: MessageBody!, ...(reason !== undefined && { reason }) })
      const MessageId = url.endsWith('/dead') ? randomUUID() : send(MessageBody!)
      return { MessageId, MD5OfMessageBody: createHash('md5').update(MessageBody!).digest('hex') }
    }
    if (action === 'SendMessage') return sendOne(input.QueueUrl!, input)
    if (action === 'SendMessageBatch') {
      const entries = input.Entries as unknown as Record<string, string>[]
      if (entries.length === 0 || entries.length > 10)
        throw new Error('EmptyBatchRequest or TooManyEntriesInBatchRequest')
      return { Successful: entries.map((entry) => ({ Id: entry.Id, ...sendOne(input.QueueUrl!, entry) })), Failed: [] }
    }
    if (action === 'ChangeMessageVisibility') {
      const message = [...messages.values()].find(({ receipt }) => receipt === input.ReceiptHandle)
      if (message === undefined) throw new Error('ReceiptHandleIsInvalid')
      message.visibleAt = clock + Number(input.VisibilityTimeout)
      return {}
    }
    if (action === 'PutEvents') {
      const entries = input.Entries as unknown as Record<string, string>[]
      for (const { DetailType, Source, EventBusName, Resources, Detail } of entries)
        events.push({
          type: DetailType!,
          source: Source!,
          bus: EventBusName!,
          resources: Resources as unknown as string[],
          detail: JSON.parse(Detail!),
        })
      return { FailedEntryCount: 0, Entries: entries.map(() => ({ EventId: randomUUID() })) }
    }
    throw new Error(`UnknownOperation ${action}`)
  }

  const api = await listen(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
    const action = String(request.headers['x-amz-target']).split('.')[1]!
    calls.push(action)
    const reply = (status: number, body: object): void => {
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(body))
    }
    if (refused.has(action)) return reply(400, { __type: 'AccessDeniedException', message: `not allowed: ${action}` })
    try {
      reply(200, perform(action, JSON.parse(Buffer.concat(chunks).toString())))
    } catch (error) {
      reply(400, { __type: 'InvalidParameterValue', message: (error as Error).message })
    }
  })
  t.after(() => api.close())

  /** Ids of messages that a function has. */
  const away = new Set<string>()
  let settled: (() => void)[] = []

  const visible = (): Message[] => [...messages.values()].filter(({ visibleAt }) => visibleAt <= clock)

  const receive = (count: number): SqsMessage[] => {
    const found: SqsMessage[] = []
    while (found.length === 0 && messages.size > 0) {
      if (visible().length === 0) clock = Math.min(...[...messages.values()].map(({ visibleAt }) => visibleAt))
      for (const message of visible()) {
        if (found.length === count) break
        if (message.received >= maxReceiveCount) {
          deadLetters.push({ body: message.body })
          messages.delete(message.id)
          continue
        }
        message.received++
        away.add(message.id)
        message.visibleAt = clock + visibility
        message.receipt = randomUUID()
        const attributes = { ApproximateReceiveCount: String(message.received), SentTimestamp: String(message.sent) }
        const { id: messageId, receipt: receiptHandle, body } = message
        found.push({ messageId, receiptHandle, body, attributes, eventSource: 'aws:sqs' })
      }
    }
    return found
  }

  return {
    environment: {
      AWS_ENDPOINT_URL_SQS: api.url,
      AWS_ENDPOINT_URL_EVENTBRIDGE: api.url,
      SOCI_QUEUE_URL: `${api.url}/123456789012/queue`,
      SOCI_DEAD_LETTER_QUEUE_URL: `${api.url}/123456789012/dead`,
      SOCI_MAX_RECEIVE_COUNT: String(maxReceiveCount),
      SOCI_EVENT_BUS: 'default',
      SOCI_METRICS_NAMESPACE: 'Soci',
    },
    send: (body) => void send(typeof body === 'string' ? body : JSON.stringify(body)),
    receive,
    async next(count) {
      while (visible().length === 0 && away.size > 0) await new Promise<void>((resolve) => settled.push(resolve))
      return receive(count)
    },
    settle(received, { batchItemFailures }) {
      const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier))
      for (const { messageId } of received) {
        away.delete(messageId)
        if (!failed.has(messageId)) messages.delete(messageId)
      }
      for (const wake of settled) wake()
      settled = []
    },
    deadLetters,
    events,
    clock: () => clock,
    refused,
    calls,
  }
}
