import { type Descriptor, resolveIfThere, type Store, StoreError } from '@sociable/oci'
import { type ConvertOptions, checkConverted, convert, copyImage, type ImageLocation } from 'sociable'
import { checkPublished } from './check-published.js'
import { imageName, sameOptions } from './index-request.js'
import { log } from './log.js'
import { mirror } from './mirror.js'
import { isSameResult, settleOwner } from './ownership.js'
import { indexOptions, type Outcome, type Work } from './work.js'

/**
 * Makes the SOCI-enabled image (v2) that the request asks for, under its output tag. Doing it again changes nothing.
 * @throws errors of the library and of the AWS SDK; TAG_IMMUTABLE with what to do where the tag is another image's for good
 */
export async function buildImage(work: Work): Promise<Outcome> {
  const outcome = await buildImageBy(work, convertImage)
  return outcome!
}

/** Makes the image where there is none that can be adopted; undefined where it is not made yet. */
export type MakeImage = (
  input: ImageLocation,
  output: ImageLocation,
  options: ConvertOptions,
) => Promise<Outcome | undefined>

/** Makes it here and now. */
export const convertImage: MakeImage = async (input, output, options) => {
  const result = await convert(input, output, options)
  const { digest, indexed, reason = '', warnings, bytesIndexed: bytes, seconds } = result
  log('converted', { digest, indexed, reason, bytesIndexed: bytes, seconds, warnings: warnings.slice(0, 5) })
  return { imageDigest: digest, indexed, reason, bytes, seconds }
}

/** As `buildImage`, with another way of making the image. Undefined where that left the rest to others: then nothing is claimed. */
export async function buildImageBy(work: Work, make: MakeImage): Promise<Outcome | undefined> {
  const { request, images, signal } = work
  if (request.published) return await checkPublished(work)
  const brought = request.source === undefined ? undefined : await mirror(work, request.source)
  const store = await images.openEcr(request.output.repository, signal)
  const before = await resolveIfThere(store, request.output.tag, signal)
  const outcome =
    brought === undefined ? await makeOrAdopt(work, store, before, make) : await nameBrought(work, store, brought)
  if (outcome !== undefined) await claim(work, store, before, outcome)
  return outcome
}

async function makeOrAdopt(
  work: Work,
  store: Store,
  before: Descriptor | undefined,
  make: MakeImage,
): Promise<Outcome | undefined> {
  const { request, former, images, signal } = work
  const input = { store: await images.openEcr(request.repository, signal), reference: request.input }
  const output = { store, reference: request.output.tag }
  const options = await indexOptions(work)
  // Where the same resource is asked for something else it is not to get what it had
  const changed = former !== undefined && isSameResult(work) && !sameOptions(request, former)
  const adopt = async (): Promise<Outcome | readonly string[]> => {
    const { matches, digest, indexed, reason = '', problems } = await checkConverted(input, output, options)
    log(`the output tag has ${matches ? 'what is wanted' : 'something else'}`, {
      digest,
      problems: problems.slice(0, 3),
    })
    return matches ? { imageDigest: digest, indexed, reason } : problems
  }
  const adopted = before !== undefined && !changed ? await adopt() : []
  if (isOutcome(adopted)) return adopted
  try {
    const cacheFrom = await formerOutput(work)
    return await make(input, output, { ...options, cacheFrom })
  } catch (error) {
    if (!(error instanceof StoreError && error.code === 'TAG_IMMUTABLE')) throw error
    const found = changed ? await adopt() : adopted
    if (isOutcome(found)) return found
    throw new StoreError(
      'TAG_IMMUTABLE',
      `${imageName(request.output)} exists with other content (${found[0] ?? 'made meanwhile'}), and tags of this repository are immutable: choose another output tag, or delete that image`,
      { cause: error },
    )
  }
}

function isOutcome(found: Outcome | readonly string[]): found is Outcome {
  return 'imageDigest' in found
}

/** The image as it came, under the output tag. */
async function nameBrought({ request, images, signal }: Work, store: Store, outcome: Outcome): Promise<Outcome> {
  const input = { store: await images.openEcr(request.repository, signal), reference: outcome.imageDigest }
  await copyImage(input, { store, reference: request.output.tag }, { signal })
  log('the mirrored image has its own SOCI index', { digest: outcome.imageDigest })
  return outcome
}

/** What the resource's result was before, where that is in the same repository and has another tag: its zTOCs are good for layers that stayed. */
async function formerOutput({ request, former, images, signal }: Work) {
  if (former?.format !== 'v2' || former.output.repository.uri !== request.output.repository.uri) return []
  const store = await images.openEcr(former.output.repository, signal)
  if ((await resolveIfThere(store, former.output.tag, signal)) === undefined) return []
  return [{ store, reference: former.output.tag }]
}

async function claim(work: Work, store: Store, before: Descriptor | undefined, outcome: Outcome): Promise<void> {
  const { request, owner, signal } = work
  if (owner === undefined) return
  const result = await store.resolve(outcome.imageDigest, { signal })
  if (!(await settleOwner(work, store, result, before !== undefined))) return
  // Its last owner may have gone in between, and taken the tag along: the image itself is held by the owner tag now
  if ((await resolveIfThere(store, request.output.tag, signal)) === undefined)
    await store.tag(result, request.output.tag, { signal })
}
