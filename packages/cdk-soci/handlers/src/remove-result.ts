import { decodeIndex, isDigest, isIndexType, readContent, resolveIfThere, type Store } from '@sociable/oci'
import { IMAGE_MANIFEST_DIGEST, INDEX_DIGEST, inspect } from 'sociable'
import { EcrImages } from './ecr-images.js'
import { log } from './log.js'
import { ownerTag, ownerTagsAmong } from './owner-tags.js'
import type { Work } from './work.js'

/**
 * Removes what the resource made, if that is to be (`Removal`), it belongs to this resource, and to no other: else only its owner tag goes. Never
 * the image that was indexed. What is gone already is not an error, and doing it again changes nothing.
 */
export async function removeResult(work: Work): Promise<void> {
  const { request, owner, signal } = work
  if (request.removal !== 'destroy' || owner === undefined) return log('the result stays: its removal policy is RETAIN')
  const ecr = new EcrImages(request.output.repository, signal)
  try {
    const tags = await ecr.tags()
    const own = ownerTag(request, owner)
    if (!tags.has(own)) return log('the result stays: it was there before this resource, or is gone')
    const others = ownerTagsAmong(request, tags.keys()).filter((tag) => tag !== own)
    if (others.length > 0) {
      await ecr.delete([{ imageTag: own }])
      return log('the result stays: others own it too', { others })
    }
    await (request.format === 'v2' ? removeImage(work, ecr, tags, own) : removeAttached(work, ecr, tags, own))
  } catch (error) {
    if (!(error instanceof Error && error.name === 'RepositoryNotFoundException')) throw error
    log('the repository is gone, and the result with it')
  }
}

async function removeImage(work: Work, ecr: EcrImages, tags: ReadonlyMap<string, string>, own: string): Promise<void> {
  const { request, images, signal } = work
  const { repository, tag } = request.output
  const store = await images.openEcr(repository, signal)
  const digest = tags.get(tag)
  const isInput = isDigest(request.input) && digest === request.input && repository.uri === request.repository.uri
  const removed = isInput ? [own] : [own, tag]
  // With its last tag an image goes, and what it alone lists is of no more use
  const going = [...new Set(removed.map((name) => tags.get(name)))].filter(
    (one) => one !== undefined && [...tags].every(([name, other]) => other !== one || removed.includes(name)),
  ) as string[]
  const parts = await Promise.all(going.map((one) => partsOf(store, one, signal)))
  const top = digest === undefined ? undefined : await resolveIfThere(store, digest, signal)
  await ecr.delete(removed.map((imageTag) => ({ imageTag })))
  const named = new Set(tags.values())
  const deletable = [...new Set(parts.flat())].filter((part) => !named.has(part) && part !== request.input)
  await ecr.delete(deletable.map((imageDigest) => ({ imageDigest })))
  log('removed', { tags: removed, manifests: deletable.length })
  // Somebody may have come to own it in between: then the output tag is theirs
  if (top === undefined || ownerTagsAmong(request, (await ecr.tags()).keys()).length === 0) return
  await store.tag(top, tag, { signal })
  log('others came to own the result meanwhile: it has its tag again')
}

/** What a conversion makes besides the image index: SOCI indexes, and the manifests that name them. Others may be the input's own. */
async function partsOf(store: Store, digest: string, signal: AbortSignal): Promise<string[]> {
  const top = await resolveIfThere(store, digest, signal)
  if (top === undefined || !isIndexType(top.mediaType)) return []
  const { manifests = [] } = decodeIndex(await readContent(store, top, { signal }), digest)
  return manifests
    .filter(({ annotations }) => annotations?.has(INDEX_DIGEST) || annotations?.has(IMAGE_MANIFEST_DIGEST))
    .map((part) => part.digest)
}

async function removeAttached(
  { request, images, signal }: Work,
  ecr: EcrImages,
  tags: ReadonlyMap<string, string>,
  own: string,
): Promise<void> {
  const store = await images.openEcr(request.repository, signal)
  const made = new Set([tags.get(own)!])
  if ((await resolveIfThere(store, request.input, signal)) !== undefined) {
    const { images: platforms } = await inspect({ store, reference: request.input }, { signal })
    for (const { version, index, buildToolHealth, buildTool } of platforms)
      if (version === 'v1' && (buildToolHealth === 'sound' || buildTool === request.options.buildTool))
        made.add(index!.digest)
  }
  await ecr.delete([...made].map((imageDigest) => ({ imageDigest })))
  log('removed', { indexes: [...made] })
}
