// Small real images for the commands to work on: OCI layouts made by hand, so that nothing under test has a part in them.
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { gzipSync } from 'node:zlib'
import { pack } from 'tar-stream'

export type TreeEntry = string | Uint8Array | { readonly link: string } | { readonly directory: true }

/** Names to contents. */
export type Tree = Readonly<Record<string, TreeEntry>>

export interface Blob {
  readonly digest: string
  readonly size: number
}

export interface MadeImage {
  readonly manifest: Blob
  readonly layers: readonly Blob[]
}

/** A folder that goes away with the test. */
export async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sociable-cli-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

export async function tar(tree: Tree): Promise<Buffer> {
  const out = pack()
  for (const [name, entry] of Object.entries(tree)) {
    const header = { name, mtime: new Date(1e12), mode: 0o644 }
    if (typeof entry === 'string' || entry instanceof Uint8Array) out.entry(header, Buffer.from(entry))
    else if ('link' in entry) out.entry({ ...header, type: 'symlink', linkname: entry.link })
    else out.entry({ ...header, type: 'directory', mode: 0o755 })
  }
  out.finalize()
  const chunks: Buffer[] = []
  for await (const chunk of out) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

/** Bytes that do not compress, the same each time. */
export function noise(size: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(size)
  let state = seed
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    bytes[i] = state >>> 24
  }
  return bytes
}

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

export interface Layout {
  readonly folder: string
  /** Adds an image of these layers under a tag; bytes are a layer that is compressed already. */
  add(tag: string, layers: readonly (Tree | Uint8Array)[], architecture?: string, config?: object): Promise<MadeImage>
  /** Puts an image index of the images made so far, with their platforms, under a tag, in place of theirs. */
  join(tag: string): Promise<Blob>
  path(digest: string): string
}

export async function makeLayout(folder: string): Promise<Layout> {
  const path = (digest: string) => join(folder, 'blobs', 'sha256', digest.slice('sha256:'.length))
  await mkdir(join(folder, 'blobs', 'sha256'), { recursive: true })
  await writeFile(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  let manifests: object[] = []

  async function put(bytes: Uint8Array): Promise<Blob> {
    const digest = digestOf(bytes)
    await writeFile(path(digest), bytes)
    return { digest, size: bytes.length }
  }
  const putJson = (value: object) => put(Buffer.from(JSON.stringify(value)))
  const writeIndex = () => writeFile(join(folder, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }))

  await writeIndex()
  return {
    folder,
    path,
    async add(tag, trees, architecture = 'amd64', imageConfig = {}) {
      const tars = await Promise.all(trees.map((tree) => (tree instanceof Uint8Array ? tree : tar(tree))))
      const blobs = trees.map((tree, i) => (tree instanceof Uint8Array ? tree : gzipSync(tars[i]!)))
      const layers = await Promise.all(blobs.map(put))
      const config = await putJson({
        architecture,
        os: 'linux',
        config: imageConfig,
        rootfs: { type: 'layers', diff_ids: tars.map((bytes) => digestOf(bytes)) },
      })
      const manifest = await putJson({
        schemaVersion: 2,
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
        layers: layers.map((layer) => ({ mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', ...layer })),
      })
      manifests.push({
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        ...manifest,
        platform: { architecture, os: 'linux' },
        annotations: { 'org.opencontainers.image.ref.name': tag },
      })
      await writeIndex()
      return { manifest, layers }
    },
    async join(tag) {
      const mediaType = 'application/vnd.oci.image.index.v1+json'
      const children = manifests.map((descriptor) => ({ ...descriptor, annotations: undefined }))
      const index = await putJson({ schemaVersion: 2, mediaType, manifests: children })
      manifests = [{ mediaType, ...index, annotations: { 'org.opencontainers.image.ref.name': tag } }]
      await writeIndex()
      return index
    },
  }
}
