// One push, from its name to its index.
import { resolveIfThere, StoreError } from '@sociable/oci'
import { pushWork } from '../answer-event.js'
import { buildAttached } from '../build-attached.js'
import { buildImageBy, convertImage } from '../build-image.js'
import type { Images } from '../images.js'
import { parseIndexRequest } from '../index-request.js'
import { type PushedEvent, SupersededError, supersededBy } from '../pushed-event.js'
import type { Outcome, Work } from '../work.js'
import { matchesFilters } from './filters.js'
import { handOver } from './hand-over.js'
import { compressedSize, look, platformsOf, type Seen } from './look.js'
import { isOutputTag, outputTag } from './output-tag.js'
import type { Push } from './push.js'
import type { Settings } from './settings.js'

export interface PushTask {
  readonly settings: Settings
  readonly images: Images
  /** Bytes. */
  readonly memory: number
}

/** `left`: there is nothing to do, for the reason. */
export type PushEnd =
  | { readonly state: 'left'; readonly reason: string }
  | { readonly state: 'handed over'; readonly executionArn: string }
  | { readonly state: 'ready'; readonly outcome: Outcome }

/**
 * Indexes what was pushed, the digest of it and nothing that its tag may name by then. Doing it again changes nothing.
 * @param started told when the work begins, after all that is cheap
 * @throws errors of the library and of the AWS SDK, OutputTagError, PropertyError
 */
export async function indexPush(
  push: Push,
  task: PushTask,
  signal: AbortSignal,
  started: (event: PushedEvent) => void = () => {},
): Promise<PushEnd> {
  const { settings, images, memory } = task
  const unwanted = whyUnwanted(push, settings)
  if (unwanted !== undefined) return left(unwanted)
  const output = settings.version === 'v2' ? outputTag(settings.outputTag, push.tag!) : undefined
  const store = await images.openEcr(push.repository, signal)
  // An index beside the image (v1) is the digest's, whatever has the tag
  const superseded = output === undefined ? undefined : await supersededBy(store, push, signal)
  if (superseded !== undefined) return left(superseded)
  const pushed = await resolveIfThere(store, push.digest, signal)
  if (pushed === undefined) return left(DELETED)
  const seen = await look(store, pushed, signal)
  if (typeof seen === 'string') return left(seen)
  const event = pushedEvent(push, output, seen, settings)
  if (typeof event === 'string') return left(event)
  const work = await pushWork(event, parseIndexRequest(event.ResourceProperties), images, memory, signal)
  try {
    if (output === undefined) return { state: 'ready', outcome: await buildAttached(work) }
    return await convertOrHandOver(work, event, seen, settings, started)
  } catch (error) {
    if (error instanceof SupersededError) return left(error.message)
    const isLost = error instanceof StoreError && error.code === 'NOT_FOUND'
    if (isLost && (await resolveIfThere(store, push.digest, signal)) === undefined) return left(DELETED)
    throw error
  }
}

const DELETED = 'the image was deleted after the push'

async function convertOrHandOver(
  work: Work,
  event: PushedEvent,
  seen: Seen,
  settings: Settings,
  started: (event: PushedEvent) => void,
): Promise<PushEnd> {
  const { request, images, signal } = work
  let executionArn = ''
  const outcome = await buildImageBy(work, async (input, output, options) => {
    const store = await images.openEcr(request.repository, signal)
    const { stateMachine, stateMachineAbove } = settings
    if (stateMachine !== undefined && (await compressedSize(store, seen, signal)) > stateMachineAbove) {
      executionArn = await handOver(event, stateMachine, signal)
      return undefined
    }
    started(event)
    return await convertImage(input, output, options)
  })
  return outcome === undefined ? { state: 'handed over', executionArn } : { state: 'ready', outcome }
}

/** What the names alone tell. */
function whyUnwanted({ repository, tag }: Push, { filters, version, outputTag: template }: Settings) {
  if (!matchesFilters(filters, repository.name, tag ?? '')) return 'no filter matches'
  if (version === 'v1') return undefined
  if (tag === undefined) return 'it was pushed without a tag'
  return isOutputTag(template, tag) ? `its tag is one that is made here (${template})` : undefined
}

/** A string where there is nothing to index. */
function pushedEvent(
  { repository, tag, digest }: Push,
  output: string | undefined,
  seen: Seen,
  { options, version }: Settings,
): PushedEvent | string {
  const wanted = Array.isArray(options.Platforms) ? options.Platforms.map(String) : []
  const platforms = platformsOf(seen, wanted)
  if (wanted.length > 0 && platforms.length === 0) return `it has none of the platforms ${wanted.join(', ')}`
  return {
    push: { repository: repository.name, ...(tag !== undefined && { tag }), digest },
    ResourceProperties: {
      ...options,
      ...(wanted.length > 0 && { Platforms: platforms }),
      Format: version,
      Repository: repository.uri,
      InputTag: digest,
      ...(output !== undefined && { OutputTag: output }),
    },
  }
}

function left(reason: string): PushEnd {
  return { state: 'left', reason }
}
