// Image layouts made by hand, so that their JSON can be anything.
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A descriptor as it goes into JSON; it may have members that no specification knows. */
export interface RawDescriptor {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
  readonly [member: string]: unknown
}

export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json'
export const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json'
export const OCI_GZIP = 'application/vnd.oci.image.layer.v1.tar+gzip'

export class LayoutBuilder {
  readonly blobs = new Map<string, Uint8Array>()
  /** What index.json says; set by the image. */
  index: unknown = {}

  blob(content: Uint8Array | string, mediaType: string, more: Readonly<Record<string, unknown>> = {}): RawDescriptor {
    const bytes = Buffer.from(content)
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
    this.blobs.set(digest, bytes)
    return { mediaType, digest, size: bytes.length, ...more }
  }

  json(value: unknown, mediaType: string, more: Readonly<Record<string, unknown>> = {}): RawDescriptor {
    return this.blob(typeof value === 'string' ? value : JSON.stringify(value), mediaType, more)
  }

  config(platform: Readonly<Record<string, unknown>>, mediaType = OCI_CONFIG): RawDescriptor {
    return this.json({ ...platform, config: {}, rootfs: { type: 'layers', diff_ids: [] } }, mediaType)
  }

  /** A manifest for the platform, and its descriptor with `more` members. */
  manifest(
    layers: readonly RawDescriptor[],
    platform: Readonly<Record<string, unknown>>,
    more: Readonly<Record<string, unknown>> = {},
    manifest: Readonly<Record<string, unknown>> = {},
  ): RawDescriptor {
    return this.json(
      { schemaVersion: 2, mediaType: OCI_MANIFEST, config: this.config(platform), layers, ...manifest },
      OCI_MANIFEST,
      more,
    )
  }

  imageIndex(
    manifests: readonly RawDescriptor[],
    index: Readonly<Record<string, unknown>> = {},
    more: Readonly<Record<string, unknown>> = {},
  ): RawDescriptor {
    return this.json({ schemaVersion: 2, mediaType: OCI_INDEX, manifests, ...index }, OCI_INDEX, more)
  }

  /** index.json with these entries. */
  top(...manifests: RawDescriptor[]): void {
    this.index = { schemaVersion: 2, manifests }
  }

  write(folder: string): void {
    mkdirSync(join(folder, 'blobs', 'sha256'), { recursive: true })
    writeFileSync(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
    writeFileSync(join(folder, 'index.json'), typeof this.index === 'string' ? this.index : JSON.stringify(this.index))
    for (const [digest, bytes] of this.blobs) writeFileSync(join(folder, 'blobs', 'sha256', digest.slice(7)), bytes)
  }
}
