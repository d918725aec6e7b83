// Small images that several tests use.
import { type LayoutBuilder, OCI_GZIP, OCI_MANIFEST, type RawDescriptor } from './layout.js'
import { gzip, noise, tar } from './tar.js'

export const AMD64 = { architecture: 'amd64', os: 'linux' }
export const ARM64 = { architecture: 'arm64', os: 'linux', variant: 'v8' }
export const UNKNOWN = { architecture: 'unknown', os: 'unknown' }

/** With these, the samples' layers are indexed, in several spans each. */
export const SMALL = { spanSize: 2000, minLayerSize: 0 }

/** A folder and a file of noise in it, named after the seed. */
export function layerBytes(seed: string, size = 3000): Buffer {
  return gzip(tar([{ name: `${seed}/` }, { name: `${seed}/f`, content: noise(size, seed) }]))
}

export function layer(layout: LayoutBuilder, seed: string, size?: number): RawDescriptor {
  return layout.blob(layerBytes(seed, size), OCI_GZIP)
}

export const NAMED_APP = { annotations: { 'org.opencontainers.image.ref.name': 'app' } }

/** amd64 and arm64/v8 with a layer of their own and one in common, named `app`. */
export function twoPlatforms(layout: LayoutBuilder): void {
  layout.top(layout.imageIndex(twoManifests(layout), {}, NAMED_APP))
}

export function twoManifests(layout: LayoutBuilder): [amd64: RawDescriptor, arm64: RawDescriptor] {
  return [
    layout.manifest([layer(layout, 'a'), layer(layout, 'tiny', 10)], AMD64, { platform: AMD64 }),
    layout.manifest([layer(layout, 'b'), layer(layout, 'tiny', 10)], ARM64, { platform: ARM64 }),
  ]
}

/** As BuildKit attests to an image: by its descriptor's annotations, and as an OCI artifact by its subject, too. */
export function attestation(
  layout: LayoutBuilder,
  image: RawDescriptor,
  more: Readonly<Record<string, unknown>> = {},
): RawDescriptor {
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    artifactType: 'application/vnd.docker.attestation.manifest.v1+json',
    config: layout.blob('{}', 'application/vnd.oci.empty.v1+json'),
    layers: [layout.blob('{"_type":"provenance"}', 'application/vnd.in-toto+json')],
    subject: { mediaType: image.mediaType, digest: image.digest, size: image.size },
  }
  const annotations = {
    'vnd.docker.reference.digest': image.digest,
    'vnd.docker.reference.type': 'attestation-manifest',
    ...more,
  }
  return layout.json(manifest, OCI_MANIFEST, { platform: UNKNOWN, annotations })
}
