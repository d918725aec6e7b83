import { ManifestError } from '../error.js'
import type { Descriptor, Platform } from './descriptor.js'
import { isJsonObject, type JsonValue, parseJson, printJson } from './gojson.js'
import {
  type GoType,
  goBytes,
  goInt64,
  goPointer,
  goPresence,
  goSlice,
  goString,
  goStringMap,
  goStruct,
  optional,
  required,
} from './gostruct.js'
import { isIndexType, isManifestType, OCI_INDEX, OCI_MANIFEST } from './mediatype.js'

/** An integer as JSON has it; beyond ±(2^53 − 1) it is a bigint. */
export type Integer = number | bigint

/** An image manifest (image-spec v1.1.1, specs-go/v1/manifest.go); Docker's reads the same. What is absent or empty in the JSON is absent here. */
export interface Manifest {
  /** 0 where it is absent. */
  readonly schemaVersion: Integer
  readonly mediaType?: string
  readonly artifactType?: string
  /** With empty fields where it is absent. */
  readonly config: Descriptor
  /** `undefined` where it is absent or `null`; printed as `null`. */
  readonly layers: readonly Descriptor[] | undefined
  readonly subject?: Descriptor
  readonly annotations?: ReadonlyMap<string, string>
}

/** An image index (specs-go/v1/index.go); Docker's manifest list reads the same. */
export interface Index {
  readonly schemaVersion: Integer
  readonly mediaType?: string
  readonly artifactType?: string
  /** `undefined` where it is absent or `null`; printed as `null`. */
  readonly manifests: readonly Descriptor[] | undefined
  readonly subject?: Descriptor
  readonly annotations?: ReadonlyMap<string, string>
}

/** What of an image's config is needed here (specs-go/v1/config.go). */
export interface ImageConfig {
  readonly platform: Platform
  /** Digests of the uncompressed layers, bottom first; none where the config has none that can be read. */
  readonly diffIds: readonly string[]
}

const platformType = goStruct<Platform>({
  architecture: required(goString),
  os: required(goString),
  'os.version': optional(goString),
  'os.features': optional(goSlice(goString)),
  variant: optional(goString),
})

type DescriptorStruct = Omit<Descriptor, 'size' | 'exactSize'> & { readonly size: Integer }

const descriptorStruct = goStruct<DescriptorStruct>({
  mediaType: required(goString),
  digest: required(goString),
  size: required(goInt64),
  urls: optional(goSlice(goString)),
  annotations: optional(goStringMap),
  data: optional(goBytes),
  platform: optional(goPointer(platformType)),
  artifactType: optional(goString),
})

const descriptorType: GoType<Descriptor> = {
  zero: { mediaType: '', digest: '', size: 0 },
  decode: (json, previous, path) => fromStruct(descriptorStruct.decode(json, toStruct(previous), path)),
  encode: (descriptor) => descriptorStruct.encode(toStruct(descriptor)),
  isEmpty: () => false,
}

function toStruct({ exactSize, ...descriptor }: Descriptor): DescriptorStruct {
  return exactSize !== undefined && Number(exactSize) === descriptor.size
    ? { ...descriptor, size: exactSize }
    : descriptor
}

function fromStruct({ size, ...descriptor }: DescriptorStruct): Descriptor {
  return { ...descriptor, size: Number(size), ...(typeof size === 'bigint' && { exactSize: size }) }
}

const manifestType = goStruct<Manifest>({
  schemaVersion: required(goInt64),
  mediaType: optional(goString),
  artifactType: optional(goString),
  config: required(descriptorType),
  layers: required(goSlice(descriptorType)),
  subject: optional(goPointer(descriptorType)),
  annotations: optional(goStringMap),
})

const indexType = goStruct<Index>({
  schemaVersion: required(goInt64),
  mediaType: optional(goString),
  artifactType: optional(goString),
  manifests: required(goSlice(descriptorType)),
  subject: optional(goPointer(descriptorType)),
  annotations: optional(goStringMap),
})

/**
 * Decodes as Go does into the structs of image-spec v1.1.1: names match without regard to case, unknown members are dropped, `null` leaves a
 * field empty, a member of the wrong type refuses the document.
 * @param what names the document in messages, such as its digest
 * @throws ManifestError
 */
export function decodeManifest(bytes: Uint8Array, what: string): Manifest {
  return decodeAs(manifestType, parseJson(bytes, what), what)
}

/** As `decodeManifest`. @throws ManifestError */
export function decodeIndex(bytes: Uint8Array, what: string): Index {
  return decodeIndexJson(parseJson(bytes, what), what)
}

/** The one or the other, as the media type says. @throws ManifestError */
export function decodeDocument(bytes: Uint8Array, mediaType: string, what: string): Manifest | Index {
  return isIndexType(mediaType) ? decodeIndex(bytes, what) : decodeManifest(bytes, what)
}

/** What a document is made of, in its order: a manifest's config and layers, or an index's manifests. Its subject is none of it. */
export function contentsOf(document: Manifest | Index): readonly Descriptor[] {
  return 'config' in document ? [document.config, ...(document.layers ?? [])] : (document.manifests ?? [])
}

/** As `decodeIndex`, of what was parsed before. */
export function decodeIndexJson(json: JsonValue, what: string): Index {
  return decodeAs(indexType, json, what)
}

/** As `decodeManifest`. @throws ManifestError */
export function decodeImageConfig(bytes: Uint8Array, what: string): ImageConfig {
  const json = parseJson(bytes, what)
  return { platform: decodeAs(platformType, json, what), diffIds: readDiffIds(json) }
}

const rootFsType = goStruct<{ readonly rootfs: { readonly diff_ids?: readonly string[] } }>({
  rootfs: required(goStruct<{ readonly diff_ids?: readonly string[] }>({ diff_ids: optional(goSlice(goString)) })),
})

/** Only old docker archives need them, so a config whose rootfs is malformed is still good for its platform. */
function readDiffIds(json: JsonValue): readonly string[] {
  try {
    return rootFsType.decode(json, rootFsType.zero, '').rootfs.diff_ids ?? []
  } catch {
    return []
  }
}

/** The bytes that Go prints for the struct: its field order, empty optional fields left out, annotations sorted by bytes. */
export function encodeManifest(manifest: Manifest): Uint8Array {
  return printJson(manifestType.encode(manifest))
}

/** As `encodeManifest`. */
export function encodeIndex(index: Index): Uint8Array {
  return printJson(indexType.encode(index))
}

/** A descriptor as it stands in an index. */
export function encodeDescriptor(descriptor: Descriptor): JsonValue {
  return descriptorType.encode(descriptor)
}

const documentType = goStruct<{
  readonly mediaType?: string
  readonly config?: boolean
  readonly layers?: boolean
  readonly manifests?: boolean
  readonly fsLayers?: boolean
}>({
  mediaType: optional(goString),
  config: optional(goPresence),
  layers: optional(goPresence),
  manifests: optional(goPresence),
  fsLayers: optional(goPresence),
})

/**
 * Refuses a document that could be read as two things: a manifest with `manifests`, an index with `config` or `layers` (be they `null`), or a
 * `mediaType` of the other kind; and either with `fsLayers` (containerd v2.2.9, core/images/image.go, validateMediaType).
 * @throws ManifestError
 */
export function checkDocument(bytes: Uint8Array, mediaType: string, what: string): void {
  const document = decodeAs(documentType, parseJson(bytes, what), what)
  const refuse = (reason: string) => new ManifestError('MANIFEST_INVALID', `${what} is refused: ${reason}`)
  if (document.fsLayers)
    throw refuse('it has fsLayers, of the old Docker manifest schema 1: build or pull the image again')
  if (isManifestType(mediaType)) {
    if (document.manifests) throw refuse('as a manifest it must not have manifests')
    if (isIndexType(document.mediaType ?? ''))
      throw refuse(`it should be ${mediaType} and says it is ${document.mediaType}`)
  } else if (isIndexType(mediaType)) {
    if (document.config || document.layers)
      throw refuse(`as an index it must not have ${document.config ? 'config' : 'layers'}`)
    if (isManifestType(document.mediaType ?? ''))
      throw refuse(`it should be ${mediaType} and says it is ${document.mediaType}`)
  }
}

/** The media type of a manifest or index that nothing describes: its own, else detected from its members; `undefined` if it is neither. */
export function detectMediaType(bytes: Uint8Array, what: string): string | undefined {
  const json = parseJson(bytes, what)
  if (!isJsonObject(json)) return undefined
  const { mediaType, manifests, layers } = decodeAs(documentType, json, what)
  if (mediaType !== undefined) return mediaType
  return manifests ? OCI_INDEX : layers ? OCI_MANIFEST : undefined
}

function decodeAs<T>(type: GoType<T>, json: JsonValue, what: string): T {
  try {
    return type.decode(json, type.zero, '')
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error
    throw new ManifestError(error.code, `${what} is malformed: ${error.message}`)
  }
}
