// A layout's index.json (image-spec v1.1.1, image-layout.md): which images it has and what they are called.
import type { Descriptor } from '../document/descriptor.js'
import {
  foldName,
  isJsonObject,
  type JsonMember,
  type JsonObject,
  type JsonValue,
  parseJson,
  printJson,
} from '../document/gojson.js'
import { decodeIndexJson, encodeDescriptor, encodeIndex } from '../document/manifest.js'
import { isIndexType, OCI_INDEX } from '../document/mediatype.js'
import { nearestFirst } from '../document/nearest.js'
import { formatReference, isLocalTag, parseReference } from '../document/reference.js'
import { ImageReferenceError, StoreError } from '../error.js'

/** The name of an image within a layout (image-spec v1.1.1, annotations.md). */
export const REF_NAME = 'org.opencontainers.image.ref.name'
/** Its name in full, as containerd and `docker save` write it beside (containerd v2.2.9, core/images/annotations.go). */
export const IMAGE_NAME = 'io.containerd.image.name'

/** Plain data; a change makes a new one. */
export interface LayoutIndex {
  /** index.json as it is. */
  readonly bytes: Uint8Array
  readonly json: JsonObject
  /** What it lists, in the order of its `manifests`. */
  readonly entries: readonly Descriptor[]
}

export const EMPTY_LAYOUT_INDEX: LayoutIndex = parseLayoutIndex(
  encodeIndex({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] }),
  'an empty index.json',
)

/** @throws ManifestError if it is not an image index */
export function parseLayoutIndex(bytes: Uint8Array, what: string): LayoutIndex {
  const json = parseJson(bytes, what)
  const { manifests } = decodeIndexJson(json, what)
  return { bytes, json: isJsonObject(json) ? json : { members: [] }, entries: manifests ?? [] }
}

/** All names in it, each once, in its order. */
export function imageNames(index: LayoutIndex): readonly string[] {
  return [...new Set(index.entries.map(nameOf).filter((name) => name !== undefined))]
}

/**
 * An artifact that is attached to an image of the layout, such as a SOCI index v1: it has an artifact type, and neither a name nor a
 * platform. (An artifact that is part of an image, such as a SOCI index v2, has the image's platform.)
 */
export function isAttached(entry: Descriptor): boolean {
  return entry.artifactType !== undefined && entry.platform === undefined && nameOf(entry) === undefined
}

/** The entry of that name: `ref.name`, or the full name as docker knows it. @throws StoreError NOT_FOUND */
export function findByName(index: LayoutIndex, name: string, where: string): Descriptor {
  if (!isLocalTag(name)) throw new ImageReferenceError(`"${name}" is not a tag`)
  const byTag = index.entries.filter((entry) => entry.annotations?.get(REF_NAME) === name)
  const full = fullName(name)
  const found =
    byTag.length > 0
      ? byTag
      : index.entries.filter((entry) => {
          const imageName = entry.annotations?.get(IMAGE_NAME)
          return imageName !== undefined && (imageName === name || imageName === full)
        })
  if (found.length === 0)
    throw new StoreError('NOT_FOUND', `${where} has no image "${name}"; ${listNames(index, name)}`)
  if (new Set(found.map((entry) => entry.digest)).size > 1) {
    const names = found.map((entry) => entry.annotations?.get(IMAGE_NAME) ?? entry.digest)
    throw new StoreError('NOT_FOUND', `${where} has several images "${name}": say which of ${names.join(', ')}`)
  }
  return found[0]!
}

/**
 * The layout's image where none is asked for: its only one, what is attached to it not counted; or `whole`, the index of all its
 * entries, where none of several has a name. @throws StoreError NOT_FOUND that lists the names
 */
export function findDefault(
  index: LayoutIndex,
  where: string,
): { readonly entry: Descriptor } | { readonly whole: Whole } {
  const unattached = index.entries.filter((entry) => !isAttached(entry))
  const images = unattached.length > 0 ? unattached : index.entries
  const first = images[0]
  if (first === undefined) throw new StoreError('NOT_FOUND', `${where} has no image`)
  if (images.every((entry) => entry.digest === first.digest)) return { entry: first }
  if (images.some((entry) => nameOf(entry) !== undefined))
    throw new StoreError('NOT_FOUND', `${where} has several images: say which; ${listNames(index)}`)
  return { whole: { entries: images, complete: images.length === index.entries.length } }
}

export interface Whole {
  readonly entries: readonly Descriptor[]
  /** Whether that is all of index.json: then it is taken as it stands. */
  readonly complete: boolean
}

/** The document that stands for several entries: an image index. */
export function wholeIndex(index: LayoutIndex, { entries, complete }: Whole, what: string): WholeIndex {
  const decoded = decodeIndexJson(index.json, what)
  const mediaType = decoded.mediaType !== undefined && isIndexType(decoded.mediaType) ? decoded.mediaType : OCI_INDEX
  return { mediaType, bytes: complete ? index.bytes : encodeIndex({ ...decoded, manifests: entries }) }
}

export interface WholeIndex {
  readonly mediaType: string
  readonly bytes: Uint8Array
}

/**
 * With the image under that name, in place of what had it; without a name, in place of all images that have none.
 * @throws StoreError DENIED for an image without a name among named ones: nobody could ask for it
 */
export function withImage(
  index: LayoutIndex,
  descriptor: Descriptor,
  name: string | undefined,
  where: string,
): LayoutIndex {
  if (name !== undefined && !isLocalTag(name)) throw new ImageReferenceError(`"${name}" is not a tag`)
  if (name === undefined && imageNames(index).length > 0)
    throw new StoreError('DENIED', `${where} has images with names, so another one needs a name too: give it a tag`)
  const replaced = (entry: Descriptor) =>
    name === undefined ? !isAttached(entry) : entry.annotations?.get(REF_NAME) === name
  const annotations = new Map(descriptor.annotations)
  annotations.delete(REF_NAME)
  annotations.delete(IMAGE_NAME)
  if (name !== undefined) annotations.set(REF_NAME, name)
  return changed(index, (entry) => !replaced(entry), { ...descriptor, annotations }, where)
}

/** With the artifact among the attached ones; as it is where it has it already. */
export function withAttached(index: LayoutIndex, descriptor: Descriptor, where: string): LayoutIndex {
  const { digest, artifactType } = descriptor
  // By its entry alone, an index without an artifact type cannot be distinguished from an image.
  const same = (entry: Descriptor) =>
    isAttached(entry) || (artifactType === undefined && entry.artifactType === undefined && nameOf(entry) === undefined)
  if (index.entries.some((entry) => entry.digest === digest && same(entry))) return index
  const annotations = new Map(descriptor.annotations)
  annotations.delete(REF_NAME)
  annotations.delete(IMAGE_NAME)
  return changed(index, () => true, { ...descriptor, annotations }, where)
}

function changed(
  index: LayoutIndex,
  keep: (entry: Descriptor) => boolean,
  added: Descriptor | undefined,
  where: string,
): LayoutIndex {
  const listed = index.json.members.filter(([name]) => foldName(name) === 'MANIFESTS')
  const raw = listed[0]?.[1] ?? []
  if (listed.length > 1 || !Array.isArray(raw) || raw.length !== index.entries.length)
    throw new StoreError(
      'PROTOCOL',
      `${where}: index.json names "manifests" ${listed.length} times: it cannot be changed`,
    )
  const addedValues = added === undefined ? [] : [encodeDescriptor(added)]
  const values: readonly JsonValue[] = [...raw.filter((_, i) => keep(index.entries[i]!)), ...addedValues]
  const members: readonly JsonMember[] =
    listed.length === 0
      ? [...index.json.members, ['manifests', values]]
      : index.json.members.map((member) => (member === listed[0] ? [member[0], values] : member))
  const entries = [...index.entries.filter(keep), ...(added === undefined ? [] : [added])]
  return { bytes: printJson({ members }), json: { members }, entries }
}

/** Without that name. @throws StoreError NOT_FOUND */
export function withoutName(index: LayoutIndex, name: string, where: string): LayoutIndex {
  findByName(index, name, where)
  return changed(index, (entry) => nameOf(entry) !== name, undefined, where)
}

/** Without all that has that digest; as it is where nothing has. */
export function withoutDigest(index: LayoutIndex, digest: string, where: string): LayoutIndex {
  if (!index.entries.some((entry) => entry.digest === digest)) return index
  return changed(index, (entry) => entry.digest !== digest, undefined, where)
}

/** What an entry is called: its `ref.name`, or its name in full where it has no other. */
function nameOf(entry: Descriptor): string | undefined {
  const name = entry.annotations?.get(REF_NAME) ?? entry.annotations?.get(IMAGE_NAME)
  return name === '' ? undefined : name
}

/** `app:1` as docker writes it in full: `docker.io/library/app:1`. */
function fullName(name: string): string | undefined {
  try {
    return formatReference(parseReference(name))
  } catch {
    return undefined
  }
}

/** @param wanted the name that is not there: those most like it come first */
function listNames(index: LayoutIndex, wanted?: string): string {
  const named = new Map(
    index.entries.map((entry) => [entry.annotations?.get(IMAGE_NAME) || nameOf(entry), nameOf(entry)]),
  )
  named.delete(undefined)
  const names = [...named.keys()].map(String)
  // A tag is compared with tags, and a name in full with names in full
  const isFull = wanted !== undefined && /[:/]/.test(wanted)
  const compared = (name: string) => (isFull ? name : named.get(name)!)
  const sorted =
    wanted === undefined ? names : nearestFirst(isFull ? (fullName(wanted) ?? wanted) : wanted, names, compared)
  if (sorted.length === 0) return 'its images have no names'
  const more = sorted.length > 20 ? ` and ${sorted.length - 20} more` : ''
  return `it has ${sorted.slice(0, 20).join(', ')}${more}`
}
