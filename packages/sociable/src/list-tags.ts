import type { CallOptions, ImageLocation, RegistryAccess } from './options.js'
import { openOnly } from './places/location.js'

export interface ListTagsOptions extends CallOptions, RegistryAccess {}

/**
 * The tags of a repository, or the names in a layout or archive, each once, in the order in which the store lists them.
 * @param repository an image name; a tag or digest in it is ignored
 * @throws ImageReferenceError, StoreError
 */
export async function listTags(repository: ImageLocation, options: ListTagsOptions = {}): Promise<readonly string[]> {
  const place = await openOnly(repository, 'read', options)
  try {
    const tags: string[] = []
    for await (const tag of place.store.tags({ signal: options.signal })) tags.push(tag)
    return tags
  } finally {
    await place.close()
  }
}
