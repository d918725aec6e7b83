import { resolve } from 'node:path'
import {
  formatReference,
  type ImageReference,
  isDigest,
  openStore,
  parseReference,
  referenceWithin,
  type Store,
} from '@sociable/oci'
import { ImageError } from '../error.js'
import type { CallOptions, ImageLocation, RegistryAccess } from '../options.js'
import { sociTag } from '../soci/soci-tag.js'
import { Registries } from './registries.js'

/** A store, and what of it is meant. */
export interface Place {
  readonly store: Store
  /** Tag or digest; undefined for the store's default image. */
  readonly reference: string | undefined
  /** The tag, if the name has one. */
  readonly tag: string | undefined
  /** For messages and results. */
  readonly name: string
  /** Equal for places in the same repository, folder or file. */
  readonly home: Store | string
  /** Closes the store where it was opened here. */
  close(): Promise<void>
}

interface PlaceOptions extends CallOptions {
  /** Of the call, closed by it. */
  readonly registries: Registries
}

export type PlaceMode = 'read' | 'write' | 'update'

/** @throws ImageReferenceError, StoreError */
async function openPlace(
  location: ImageLocation,
  mode: PlaceMode,
  { registries, signal }: PlaceOptions,
): Promise<Place> {
  if (typeof location !== 'string') {
    const { store, reference } = location
    const tag = reference !== undefined && isDigest(reference) ? undefined : reference
    return { store, reference, tag, name: storeImageName(location), home: store, close: async () => {} }
  }
  const reference = parseReference(location)
  const inRegistry = reference.transport === 'registry'
  const store = inRegistry ? await registries.open(reference, signal) : await openStore(reference, { mode, signal })
  return {
    store,
    home: 'path' in reference && reference.path !== '-' ? resolve(reference.path) : store,
    reference: referenceWithin(reference),
    tag: reference.tag,
    name: formatReference(reference),
    close: async () => {
      if (!inRegistry) await store.close()
    },
  }
}

/** The places that one call opens; whatever is still open when the call ends is closed then, the last one first. */
export interface CallPlaces {
  /** @throws ImageReferenceError, StoreError */
  open(location: ImageLocation, mode: PlaceMode): Promise<Place>
  /** See `openDestination`. */
  openDestination(destination: ImageLocation | undefined, source: DestinationSource): Promise<Place>
  /** The repositories of a registry. @throws StoreError */
  repositories(registry: string): AsyncIterable<string>
  /** Closes a place now, so that what cannot be written (an archive's end) fails the call. */
  finish(place: Place): Promise<void>
}

/** Where the image comes from, and the tag that it turned out to have, if any. */
export interface DestinationSource {
  readonly location: ImageLocation
  readonly tag: string | undefined
}

/**
 * Runs a call's work with places that share its logins and connections.
 * @param locations the login goes to the registry of the first that is in one
 * @param memory bytes that the call may take, see `readAhead`
 */
export async function withPlaces<Result>(
  options: CallOptions & RegistryAccess,
  locations: readonly (ImageLocation | undefined)[],
  memory: number | undefined,
  work: (places: CallPlaces) => Promise<Result>,
): Promise<Result> {
  const registries = new Registries(options, locations, memory)
  const call: PlaceOptions = { registries, signal: options.signal }
  const opened = new Set<Place>()
  const keep = async (opening: Promise<Place>): Promise<Place> => {
    const place = await opening
    opened.add(place)
    return place
  }
  try {
    return await work({
      open: (location, mode) => keep(openPlace(location, mode, call)),
      openDestination: (destination, source) => keep(openDestination(destination, source, call)),
      repositories: (registry) => registries.repositories(registry, options.signal),
      async finish(place) {
        opened.delete(place)
        await place.close()
      },
    })
  } finally {
    for (const place of [...opened].reverse()) await place.close()
    await registries.close()
  }
}

/** The one place of a call that has no other; closing it closes all. @throws ImageReferenceError, StoreError */
export async function openOnly(
  location: ImageLocation,
  mode: PlaceMode,
  options: CallOptions & RegistryAccess,
): Promise<Place> {
  const registries = new Registries(options, [location])
  try {
    const place = await openPlace(location, mode, { registries, signal: options.signal })
    return {
      ...place,
      close: async () => {
        await place.close()
        await registries.close()
      },
    }
  } catch (error) {
    await registries.close()
    throw error
  }
}

/**
 * Where `convert` and `copyImage` put their result.
 * @param destination undefined for the source's tag with `-soci` appended
 * @throws ImageError DESTINATION_INVALID if nothing can be written there, or there is no tag to append to
 */
async function openDestination(
  destination: ImageLocation | undefined,
  source: DestinationSource,
  options: PlaceOptions,
): Promise<Place> {
  const location = destination ?? besideSource(source.location, source.tag)
  if (typeof location !== 'string') return await openPlace(location, 'write', options)
  const reference = parseReference(location)
  if (reference.transport === 'docker-archive')
    throw new ImageError(
      'DESTINATION_INVALID',
      `${location}: a docker-archive cannot be written, use oci-archive: or oci:`,
    )
  if (reference.digest !== undefined)
    throw new ImageError(
      'DESTINATION_INVALID',
      `${location} names a digest: a destination has a tag, its digest follows from what is in it`,
    )
  const origin = typeof source.location === 'string' ? parseReference(source.location) : undefined
  if (origin === undefined || !isSamePath(origin, reference)) return await openPlace(location, 'write', options)
  // `oci:DIR` twice means one image: it keeps the name that it has
  const inPlace = reference.tag === undefined && referenceWithin(origin) === undefined && source.tag !== undefined
  return await openPlace(inPlace ? formatReference({ ...reference, tag: source.tag }) : location, 'update', options)
}

function besideSource(source: ImageLocation, tag: string | undefined): ImageLocation {
  const name = typeof source === 'string' ? source : storeImageName(source)
  if (tag === undefined)
    throw new ImageError(
      'DESTINATION_INVALID',
      `${name} has no tag that "-soci" could be appended to: name a destination`,
    )
  if (typeof source !== 'string') return { ...source, reference: sociTag(tag) }
  const reference = parseReference(source)
  if (reference.transport === 'docker-archive' || ('path' in reference && reference.path === '-'))
    throw new ImageError('DESTINATION_INVALID', `${name} cannot be added to: name a destination`)
  const { digest: _, ...rest } = reference
  return formatReference({ ...rest, tag: sociTag(tag) } as ImageReference)
}

function storeImageName({ store, reference }: Exclude<ImageLocation, string>): string {
  if (reference === undefined) return store.name
  return `${store.name}${isDigest(reference) ? '@' : ':'}${reference}`
}

function isSamePath(a: ImageReference, b: ImageReference): boolean {
  return 'path' in a && 'path' in b && a.path !== '-' && resolve(a.path) === resolve(b.path)
}
