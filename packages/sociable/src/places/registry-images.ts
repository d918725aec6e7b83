import { ImageReferenceError, matchesPattern, parseReference } from '@sociable/oci'
import type { CallPlaces, Place } from './location.js'

/** Which tags of a registry a call works on. */
export interface ImageSelection {
  /** Patterns of repository names; `*` is any text. Empty for all. */
  readonly repositories: readonly string[]
  /** Patterns of tags; `*` is any text. Empty for all. */
  readonly tags: readonly string[]
}

export interface RegistryTag {
  readonly place: Place
  readonly tag: string
  /** As `REGISTRY/REPOSITORY:TAG`. */
  readonly name: string
}

/** The registry of `host[:port]`, as image names have it. @throws ImageReferenceError */
export function registryName(registry: string): string {
  const reference = parseReference(`${registry}/any:tag`)
  if (reference.transport !== 'registry' || reference.registry !== registry || reference.repository !== 'any')
    throw new ImageReferenceError(`"${registry.slice(0, 300)}" is not a registry: write host or host:port`)
  return registry
}

/** The tags of all repositories that match, by repository and tag. @throws StoreError */
export async function listImages(
  places: CallPlaces,
  registry: string,
  { repositories, tags }: ImageSelection,
  signal: AbortSignal | undefined,
): Promise<RegistryTag[]> {
  const names: string[] = []
  for await (const name of places.repositories(registry)) if (matchesAny(name, repositories)) names.push(name)
  const images: RegistryTag[] = []
  for (const repository of names.sort()) {
    const place = await places.open(`${registry}/${repository}`, 'read')
    const found: string[] = []
    for await (const tag of place.store.tags({ signal })) if (matchesAny(tag, tags)) found.push(tag)
    images.push(...found.sort().map((tag) => ({ place, tag, name: `${registry}/${repository}:${tag}` })))
  }
  return images
}

/** Whether a pattern is all of the text; without patterns every text matches. */
export function matchesAny(text: string, patterns: readonly string[]): boolean {
  return patterns.length === 0 || patterns.some((pattern) => matchesPattern(text, pattern))
}
