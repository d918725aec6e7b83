// What others are told of a push that has come to its end.
import type { OnPushEventType } from '../../../src/private/on-push-environment.js'
import { withAwsClient } from '../aws-client.js'
import { log } from '../log.js'
import type { Outcome } from '../work.js'
import { writeMetrics } from './metrics.js'
import { outputTag } from './output-tag.js'
import { OWN_SOURCE, type Push } from './push.js'
import type { Settings } from './settings.js'

/** Detail of our events, with the names that ECR's events have. */
export interface EventDetail {
  readonly 'repository-name': string
  readonly 'image-tag'?: string
  readonly 'image-digest': string
  /** Absent for v1, and where the tag does not fit. */
  readonly 'output-tag'?: string
  /** Of the SOCI-enabled image; for v1 of the image itself. Absent from failures. */
  readonly 'output-digest'?: string
  /** Whether there is a SOCI index. */
  readonly indexed: boolean
  /** Why not; '' where there is one. */
  readonly reason: string
  /** Compressed bytes of the layers that were indexed; 0 where the result was there already. */
  readonly bytes: number
  readonly seconds: number
}

/** Characters of a reason that are worth telling. */
const REASON_LENGTH = 1_000

/** @throws errors of the AWS SDK: then it is to be told again */
export async function reportReady(
  push: Push,
  { imageDigest, indexed, reason, bytes, seconds }: Outcome,
  settings: Settings,
  functionName: string,
): Promise<void> {
  const detail: EventDetail = {
    ...names(push, settings),
    'output-digest': imageDigest,
    indexed,
    reason: reason.slice(0, REASON_LENGTH),
    bytes: bytes ?? 0,
    seconds: Math.round((seconds ?? 0) * 1000) / 1000,
  }
  log(seconds === undefined ? 'ready before' : 'ready', { ...detail })
  await putEvent('SOCI Index Ready', push, detail, settings)
  if (seconds !== undefined)
    writeMetrics(settings.metricsNamespace, functionName, { Images: 1, Bytes: detail.bytes, Seconds: detail.seconds })
}

/** @throws errors of the AWS SDK: then it is to be told again */
export async function reportFailed(
  push: Push | undefined,
  reason: string,
  settings: Settings,
  functionName: string,
): Promise<void> {
  log('failed', { ...(push !== undefined && names(push, settings)), reason })
  if (push !== undefined)
    await putEvent(
      'SOCI Index Failed',
      push,
      { ...names(push, settings), indexed: false, reason: reason.slice(0, REASON_LENGTH), bytes: 0, seconds: 0 },
      settings,
    )
  writeMetrics(settings.metricsNamespace, functionName, { Failures: 1 })
}

function names({ repository, tag, digest }: Push, { version, outputTag: template }: Settings) {
  return {
    'repository-name': repository.name,
    ...(tag !== undefined && { 'image-tag': tag }),
    'image-digest': digest,
    ...(tag !== undefined && version === 'v2' && { 'output-tag': tagOrNone(template, tag) }),
  }
}

function tagOrNone(template: string, tag: string): string | undefined {
  try {
    return outputTag(template, tag)
  } catch {
    return undefined
  }
}

async function putEvent(
  type: OnPushEventType,
  { repository }: Push,
  detail: EventDetail,
  { eventBus }: Settings,
): Promise<void> {
  if (eventBus === undefined) return
  const { EventBridgeClient, PutEventsCommand } = await import('@aws-sdk/client-eventbridge')
  const entry = {
    EventBusName: eventBus,
    Source: OWN_SOURCE,
    DetailType: type,
    Resources: [repository.arn],
    Detail: JSON.stringify(detail),
  }
  const command = new PutEventsCommand({ Entries: [entry] })
  const { Entries = [] } = await withAwsClient(
    (options) => new EventBridgeClient(options),
    (client) => client.send(command),
  )
  const { ErrorCode, ErrorMessage } = Entries[0] ?? {}
  if (ErrorCode !== undefined) throw new Error(`the event ${type} could not be sent: ${ErrorCode}: ${ErrorMessage}`)
}
