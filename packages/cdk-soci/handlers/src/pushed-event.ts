import type { Store } from '@sociable/oci'
import { resolveIfThere } from '@sociable/oci'
import { isObject, type Properties } from './event.js'

/** What an execution of the state machine is given for a push, in place of CloudFormation's event. */
export interface PushedEvent {
  readonly push: PushedTag
  /** As those of the custom resource; the input is the digest that was pushed. */
  readonly ResourceProperties: Properties
}

/** What was pushed, as ECR's event names it. */
export interface PushedTag {
  readonly repository: string
  /** Absent where an image was pushed by its digest. */
  readonly tag?: string
  readonly digest: string
}

export function isPushedEvent(event: unknown): event is PushedEvent {
  if (!isObject(event) || !isObject(event.push) || !isObject(event.ResourceProperties)) return false
  const { repository, tag, digest } = event.push
  return typeof repository === 'string' && typeof digest === 'string' && (tag === undefined || typeof tag === 'string')
}

/** The tag does not name what was pushed any more: what has it now has a push of its own. */
export class SupersededError extends Error {
  override readonly name = 'SupersededError'
}

/** @throws SupersededError where the tag names something else than the digest, or nothing */
export async function checkNewest(
  store: Store,
  { tag, digest }: Pick<PushedTag, 'tag' | 'digest'>,
  signal: AbortSignal,
): Promise<void> {
  const reason = await supersededBy(store, { tag, digest }, signal)
  if (reason !== undefined) throw new SupersededError(reason)
}

/** Why there is nothing to be done for this push any more; undefined where its tag still names it, or it has none. */
export async function supersededBy(
  store: Store,
  { tag, digest }: Pick<PushedTag, 'tag' | 'digest'>,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (tag === undefined) return undefined
  const named = await resolveIfThere(store, tag, signal)
  if (named === undefined) return `the tag ${tag} was removed after the push of ${digest}`
  if (named.digest === digest) return undefined
  return `the tag ${tag} names ${named.digest} by now, which has a push of its own`
}
