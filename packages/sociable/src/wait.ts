import { setTimeout as sleep } from 'node:timers/promises'
import { formatReference, parseReference, StoreError } from '@sociable/oci'
import { checkConverted } from './check-converted.js'
import { ImageError } from './error.js'
import { inspect } from './inspect.js'
import type { CallOptions, ImageLocation, RegistryAccess } from './options.js'
import { sociTag } from './soci/soci-tag.js'

export interface WaitOptions extends CallOptions, RegistryAccess {
  /** Milliseconds until the call gives up; 0 looks once. @default 600000 (10 minutes) */
  readonly timeout?: number | undefined
  /** Milliseconds between two looks. @default 5000 */
  readonly interval?: number | undefined
  /** Where the SOCI-enabled image will be. @default `image` itself, or its tag with `-soci` appended, whichever has an index first */
  readonly destination?: ImageLocation | undefined
  /** Called after each look that found no index, with the reason. */
  readonly onWait?: ((reason: string) => void) | undefined
}

export interface WaitResult {
  /** Whether there is an index. */
  readonly ready: boolean
  /** The SOCI-enabled image, as `NAME@sha256:…`; absent while there is none. */
  readonly image?: string
  readonly digest?: string
  /** What was missing at the last look. */
  readonly reason?: string
}

const DEFAULT_TIMEOUT = 10 * 60_000
const DEFAULT_INTERVAL = 5_000

/** Errors that time may cure: the image was not pushed yet, or the registry cannot answer right now. */
const PASSING: readonly string[] = ['NOT_FOUND', 'UNREACHABLE', 'RATE_LIMITED']

/**
 * Waits until an image has a SOCI index: its own, or one in the image that `convert` makes of what `image` names at that moment. A `-soci` image
 * that was made of an earlier push does not count. Reads manifests, indexes and zTOCs, no layer.
 * @returns `ready: false` when the time is over
 * @throws ImageError, StoreError where waiting cannot help, such as UNAUTHORIZED
 * @example
 * const { ready, image } = await waitForIndex('registry.example/app:1', { timeout: 60_000 })
 */
export async function waitForIndex(image: ImageLocation, options: WaitOptions = {}): Promise<WaitResult> {
  const { timeout = DEFAULT_TIMEOUT, interval = DEFAULT_INTERVAL, signal, onWait } = options
  const end = performance.now() + timeout
  while (true) {
    const result = await look(image, options)
    if (result.ready) return result
    const left = end - performance.now()
    if (left <= 0) return result
    onWait?.(result.reason!)
    await sleep(Math.min(interval, left), undefined, { signal }).catch(() => signal?.throwIfAborted())
  }
}

async function look(image: ImageLocation, options: WaitOptions): Promise<WaitResult> {
  const { destination, ...access } = options
  try {
    if (destination === undefined) {
      const { sociEnabled, image: name, digest, images } = await inspect(image, access)
      if (sociEnabled) return { ready: true, image: pinned(name, digest), digest }
      const problem = images.flatMap(({ problems }) => problems)[0]
      if (problem !== undefined) return { ready: false, reason: `${name}: ${problem}` }
    }
    const converted = destination ?? defaultDestination(image)
    if (converted === undefined) return { ready: false, reason: 'the image has no SOCI index' }
    const { matches, indexed, digest, problems, reason } = await checkConverted(image, converted, access)
    if (matches && indexed) return { ready: true, image: pinned(nameOf(converted), digest), digest }
    return { ready: false, reason: `${nameOf(converted)}: ${problems[0] ?? reason ?? 'it has no SOCI index'}` }
  } catch (error) {
    if (error instanceof ImageError && error.code === 'NOT_AN_IMAGE') throw error
    if (!(error instanceof StoreError) || !PASSING.includes(error.code)) throw error
    return { ready: false, reason: error.message }
  }
}

/** The tag that `convert` writes by default; none where the image is named without one. */
function defaultDestination(image: ImageLocation): ImageLocation | undefined {
  if (typeof image !== 'string') return undefined
  const reference = parseReference(image)
  if (reference.tag === undefined || reference.digest !== undefined) return undefined
  return formatReference({ ...reference, tag: sociTag(reference.tag) })
}

const nameOf = (location: ImageLocation): string =>
  typeof location === 'string' ? formatReference(parseReference(location)) : location.store.name

function pinned(name: string, digest: string): string {
  return name.includes('@') ? name : `${name}@${digest}`
}
