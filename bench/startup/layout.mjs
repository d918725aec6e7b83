// Writes an OCI layout from layers that are there already.
import { createHash } from 'node:crypto'
import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const blobPath = (layout, digest) => join(layout, 'blobs', ...digest.split(':'))

export const writeBlob = (layout, { path, digest }) => copyFileSync(path, blobPath(layout, digest))

/** One image of linux/amd64, tagged `latest`. */
export function writeLayout(layout, layers, config) {
  const json = (value) => {
    const content = Buffer.from(JSON.stringify(value))
    const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`
    writeFileSync(blobPath(layout, digest), content)
    return { digest, size: content.length }
  }
  const created = '2026-01-01T00:00:00Z'
  const configuration = json({
    created,
    architecture: 'amd64',
    os: 'linux',
    config,
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    history: layers.map(({ name }) => ({ created, created_by: `RUN ${name}` })),
  })
  const manifest = json({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...configuration },
    layers: layers.map(({ digest, size }) => ({
      mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
      digest,
      size,
    })),
  })
  const annotations = { 'org.opencontainers.image.ref.name': 'latest' }
  const platform = { architecture: 'amd64', os: 'linux' }
  const descriptor = { mediaType: 'application/vnd.oci.image.manifest.v1+json', ...manifest, platform, annotations }
  writeFileSync(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [descriptor] }))
  writeFileSync(join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
}
