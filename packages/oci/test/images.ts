// Small images for tests.
import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import type { Descriptor } from '../src/document/descriptor.js'
import { digestOf } from '../src/document/digest.js'
import { encodeManifest, type Manifest } from '../src/document/manifest.js'
import { OCI_CONFIG, OCI_LAYER, OCI_LAYER_GZIP, OCI_MANIFEST } from '../src/document/mediatype.js'
import type { Store } from '../src/store.js'
import { type TarEntry, tar } from './tar-writer.js'

export function describe(mediaType: string, bytes: Uint8Array): Descriptor {
  return { mediaType, digest: digestOf(bytes), size: bytes.length }
}

/** Bytes that are the same every time, and hardly compress. */
export function noise(size: number, seed = 'noise'): Uint8Array {
  const bytes = new Uint8Array(size)
  for (let at = 0, i = 0; at < size; at += 64, i++)
    bytes.set(
      createHash('sha512')
        .update(`${seed} ${i}`)
        .digest()
        .subarray(0, size - at),
      at,
    )
  return bytes
}

export interface SmallImage {
  readonly manifest: Descriptor
  readonly manifestBytes: Uint8Array
  readonly config: Descriptor
  readonly configBytes: Uint8Array
  readonly layers: readonly Descriptor[]
  readonly layerBytes: readonly Uint8Array[]
}

/** An image of one layer for each set of files, gzip and uncompressed in turn. */
export function smallImage(...files: TarEntry[][]): SmallImage {
  const tars = files.map((entries) => tar(entries))
  const layerBytes = tars.map((bytes, i) => (i % 2 === 0 ? new Uint8Array(gzipSync(bytes)) : bytes))
  const configBytes = encodeJson({
    architecture: 'amd64',
    os: 'linux',
    config: { Env: ['PATH=/bin'] },
    rootfs: { type: 'layers', diff_ids: tars.map(digestOf) },
    history: tars.map((_, i) => ({ created: '2024-01-01T00:00:00Z', created_by: `layer ${i}` })),
  })
  const config = describe(OCI_CONFIG, configBytes)
  const layers = layerBytes.map((bytes, i) => describe(i % 2 === 0 ? OCI_LAYER_GZIP : OCI_LAYER, bytes))
  const manifestBytes = encodeManifest({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers })
  return { manifest: describe(OCI_MANIFEST, manifestBytes), manifestBytes, config, configBytes, layers, layerBytes }
}

export async function pushImage(store: Store, image: SmallImage): Promise<void> {
  for (const [i, layer] of image.layers.entries()) await store.push(layer, image.layerBytes[i]!)
  await store.push(image.config, image.configBytes)
  await store.push(image.manifest, image.manifestBytes)
}

/** An artifact that refers to a subject, as a SOCI index v1 does: without an artifact type of its own. */
export function artifact(
  subject: Descriptor,
  annotations?: ReadonlyMap<string, string>,
): { descriptor: Descriptor; bytes: Uint8Array } {
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: { mediaType: 'application/vnd.test.config', digest: digestOf(Buffer.from('{}')), size: 2 },
    layers: [],
    subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.size },
    ...(annotations && { annotations }),
  }
  const bytes = encodeManifest(manifest)
  return { descriptor: describe(OCI_MANIFEST, bytes), bytes }
}

export function encodeJson(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value))
}

export async function collect(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return new Uint8Array(Buffer.concat(chunks))
}
