import { createIndex, inspect } from 'sociable'
import { log } from './log.js'
import { mirror } from './mirror.js'
import { settleOwner } from './ownership.js'
import { indexOptions, type Outcome, type Work } from './work.js'

/** Makes the SOCI index (v1) that the request asks for, beside the image that stays as it is. Doing it again changes nothing. */
export async function buildAttached(work: Work): Promise<Outcome> {
  const { request, owner, images, signal } = work
  const brought = request.source === undefined ? undefined : await mirror(work, request.source)
  if (brought !== undefined) return brought
  const store = await images.openEcr(request.repository, signal)
  const { indexTag } = request
  const image = { store, reference: request.input }
  const before = owner === undefined ? [] : (await inspect(image, { signal })).images.map(({ index }) => index?.digest)
  const result = await createIndex(image, { ...(await indexOptions(work)), indexTag })
  const { indexed, reason = '', bytesIndexed, seconds, warnings } = result
  const { digest } = await store.resolve(request.input, { signal })
  log('indexed', { digest, indexed, reason, bytesIndexed, seconds, warnings: warnings.slice(0, 5) })
  const index = result.images.find((platform) => platform.index !== undefined)?.index
  if (index !== undefined) await settleOwner(work, store, index, before.includes(index.digest))
  const isNew = bytesIndexed > 0 || !indexed
  return { imageDigest: digest, indexed, reason, ...(isNew && { bytes: bytesIndexed, seconds }) }
}
