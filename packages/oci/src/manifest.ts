import type { Descriptor, Platform } from './descriptor.js'

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
  /** Digests of the uncompressed layers, bottom first. */
  readonly diffIds: readonly string[]
}

/**
 * Decodes as Go does into the structs of image-spec v1.1.1: names match without regard to case, unknown members are dropped, `null` leaves a field empty, a
 * member of the wrong type refuses the document.
 * @param what names the document in messages, such as its digest
 * @throws ManifestError
 */
export function decodeManifest(_bytes: Uint8Array, _what: string): Manifest {
  throw new Error('not yet')
}

/** As `decodeManifest`. @throws ManifestError */
export function decodeIndex(_bytes: Uint8Array, _what: string): Index {
  throw new Error('not yet')
}

/** As `decodeManifest`. @throws ManifestError */
export function decodeImageConfig(_bytes: Uint8Array, _what: string): ImageConfig {
  throw new Error('not yet')
}

/** The bytes that Go prints for the struct: its field order, empty optional fields left out, annotations sorted by bytes. */
export function encodeManifest(_manifest: Manifest): Uint8Array {
  throw new Error('not yet')
}

/** As `encodeManifest`. */
export function encodeIndex(_index: Index): Uint8Array {
  throw new Error('not yet')
}

/**
 * Refuses a document that could be read as two things: a manifest with `manifests`, an index with `config` or `layers`, either with `fsLayers`, or with a
 * `mediaType` that is not the descriptor's (containerd v2.2.9, core/images/image.go, validateMediaType).
 * @throws ManifestError
 */
export function checkDocument(_bytes: Uint8Array, _mediaType: string, _what: string): void {
  throw new Error('not yet')
}
