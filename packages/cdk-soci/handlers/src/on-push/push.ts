// What arrives: EventBridge's events of Amazon ECR ("Amazon ECR events and EventBridge" in the ECR user guide).
import { isDigest } from '@sociable/oci'
import { type EcrRepository, ecrRepository } from '../ecr-repository.js'
import { isObject, type Properties } from '../event.js'

/** An image that came into a repository. */
export interface Push {
  readonly repository: EcrRepository
  /** Absent where the image was pushed by its digest: children of multi-platform images, and what is attached to images. */
  readonly tag?: string
  readonly digest: string
}

/** An event that is not what its source and type say it is. No retry would change that. */
export class PushError extends Error {
  override readonly name = 'PushError'
}

/** The source of our own events: those of a reconcile run have the form of ECR's. */
export const OWN_SOURCE = 'sociable'

/** By `detail-type`: the `action-type` of the event that tells of an image that came. Of a replica only this event tells where it arrives. */
const ARRIVALS: ReadonlyMap<unknown, string> = new Map([
  ['ECR Image Action', 'PUSH'],
  ['ECR Replication Action', 'REPLICATE'],
])

/**
 * Reads an event. A string says why there is nothing to do for it: it is of another service, or tells of something else than an image that came.
 * @throws PushError for an event of a push without what it must have
 */
export function readPush(event: unknown): Push | string {
  if (!isObject(event)) throw new PushError('the message is not an event of EventBridge')
  const { source, 'detail-type': type, account, region, detail } = event
  if (source !== 'aws.ecr' && source !== OWN_SOURCE) return `an event of ${describe(source)}, not of Amazon ECR`
  if (!isObject(detail)) throw new PushError(`the event ${describe(type)} has no detail`)
  const action = detail['action-type']
  const arrival = ARRIVALS.get(type)
  if (arrival === undefined || action !== arrival)
    return `the event ${describe(type)} (${describe(action)}) is not of an image that was pushed`
  if (detail.result !== 'SUCCESS') return `an image that was not pushed: the result is ${describe(detail.result)}`
  const name = text(detail, 'repository-name')
  const repository = ecrRepository(text(event, 'account'), text(event, 'region'), name)
  if (repository === undefined)
    throw new PushError(
      `the event names no repository of Amazon ECR: account ${describe(account)}, region ${describe(region)}, repository ${describe(name)}`,
    )
  const digest = text(detail, 'image-digest')
  if (!isDigest(digest)) throw new PushError(`the event's image-digest is ${describe(digest)}, not a digest`)
  const tag = detail['image-tag']
  if (tag === undefined || tag === '') return { repository, digest }
  if (typeof tag !== 'string' || !TAG.test(tag))
    throw new PushError(`the event's image-tag is ${describe(tag)}, not a tag`)
  return { repository, tag, digest }
}

const TAG = /^\w[\w.-]{0,127}$/ // distribution-spec v1.1.1, "Pulling manifests"

/** The event of a push in ECR's own form, for the queue. */
export function pushEvent({ repository, tag, digest }: Push): object {
  return {
    version: '0',
    source: OWN_SOURCE,
    'detail-type': 'ECR Image Action',
    account: repository.account,
    region: repository.region,
    resources: [],
    detail: {
      result: 'SUCCESS',
      'repository-name': repository.name,
      'image-digest': digest,
      'action-type': 'PUSH',
      ...(tag !== undefined && { 'image-tag': tag }),
    },
  }
}

function text(from: Properties, name: string): string {
  const value = from[name]
  if (typeof value !== 'string') throw new PushError(`the event's ${name} is ${describe(value)}, not a string`)
  return value
}

function describe(value: unknown): string {
  return (JSON.stringify(value) ?? 'missing').slice(0, 200)
}
