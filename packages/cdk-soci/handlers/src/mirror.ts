import { parseReference, referenceWithin } from '@sociable/oci'
import { copyImage, inspect } from 'sociable'
import { PropertyError } from './index-request.js'
import { readLogin } from './source-secret.js'
import type { Outcome, Work } from './work.js'

/**
 * Copies the image that is to be mirrored to its place, whole: all platforms, and what is attached to it.
 * @returns what there is to tell of the copy if it brought its own SOCI index along, for all platforms that are wanted: that one is kept
 */
export async function mirror({ request, images, signal }: Work, source: string): Promise<Outcome | undefined> {
  const reference = parseReference(source)
  if (reference.transport !== 'registry')
    throw new PropertyError(`the property Source is "${source}": it must be an image in a registry`)
  if (request.sourceSecretArn !== undefined)
    images.addLogin(await readLogin(request.sourceSecretArn, reference.registry, signal))
  const from = await images.open(reference, signal)
  const to = await images.openEcr(request.repository, signal)
  const copy = { store: to, reference: request.input }
  await copyImage({ store: from, reference: referenceWithin(reference) }, copy, { signal })
  const { digest, images: platforms } = await inspect(copy, { platforms: request.options.platforms, signal })
  const isIndexed = platforms.every(
    ({ version, problems, layers }) =>
      version === request.format && problems.length === 0 && layers.some(({ lazy }) => lazy),
  )
  return isIndexed && platforms.length > 0 ? { imageDigest: digest, indexed: true, reason: '' } : undefined
}
