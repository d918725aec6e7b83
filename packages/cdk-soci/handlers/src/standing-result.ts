import { resolveIfThere } from '@sociable/oci'
import { checkConverted } from 'sociable'
import { indexOptions, type Outcome, type Work } from './work.js'

/** The result that is there already; else the image as it was pushed, not indexed. Writes nothing. @throws errors of the library and of the AWS SDK */
export async function standingResult(work: Work): Promise<Outcome> {
  const { request, images, signal } = work
  const { output } = request
  const input = { store: await images.openEcr(request.repository, signal), reference: request.input }
  const store = await images.openEcr(output.repository, signal)
  if ((await resolveIfThere(store, output.tag, signal)) !== undefined) {
    const made = await checkConverted(input, { store, reference: output.tag }, await indexOptions(work))
    if (made.matches) return { imageDigest: made.digest, indexed: made.indexed, reason: made.reason ?? '' }
  }
  const { digest } = await input.store.resolve(input.reference, { signal })
  return { imageDigest: digest, indexed: false, reason: IN_BACKGROUND }
}

/** Why an image is not indexed yet. */
export const IN_BACKGROUND = 'it is indexed in the background, and used when it is deployed the next time'
