import { createHash } from 'node:crypto'
import type { Descriptor } from '../document/descriptor.js'
import { digestOf, isDigest } from '../document/digest.js'
import { parseJson } from '../document/gojson.js'
import { goSlice, goString, goStruct, required } from '../document/gostruct.js'
import { decodeImageConfig, encodeIndex, encodeManifest } from '../document/manifest.js'
import {
  DOCKER_CONFIG,
  DOCKER_LAYER,
  DOCKER_LAYER_GZIP,
  DOCKER_LAYER_ZSTD,
  DOCKER_MANIFEST,
  OCI_INDEX,
} from '../document/mediatype.js'
import { formatReference, parseReference } from '../document/reference.js'
import { ManifestError, StoreError } from '../error.js'
import { IMAGE_NAME, parseLayoutIndex, REF_NAME } from '../layout/layout-index.js'
import type { CallOptions } from '../store.js'
import { ArchiveStore, type OpenArchive, readEntry } from './archive-store.js'
import type { TarFile } from './tar-index.js'

/** One image in manifest.json (moby v28, image/tarexport, manifestItem). */
interface SavedImage {
  readonly Config: string
  readonly RepoTags: readonly string[] | undefined
  readonly Layers: readonly string[] | undefined
}

/** By digest: what lies in the archive, and the manifests that were made. */
type Contents = Map<string, TarFile | Uint8Array>

const savedImagesType = goSlice(
  goStruct<SavedImage>({
    Config: required(goString),
    RepoTags: required(goSlice(goString)),
    Layers: required(goSlice(goString)),
  }),
)

/**
 * Opens the older form of `docker save` (before Docker 25; also of podman, skopeo, crane and Bazel): manifest.json lists configs and layers, most of
 * them uncompressed. It has no image manifests, so they are made: Docker's schema 2, the same bytes as containerd makes of such an archive
 * (containerd v2.2.9, core/images/archive/importer.go). An uncompressed layer's digest is what the config says of it, so that no layer is read twice: like
 * all digests it is verified when the layer is fetched. Compressed layers are hashed here.
 * @throws StoreError PROTOCOL, ManifestError
 */
export async function openDockerArchive(
  name: string,
  archive: OpenArchive,
  signal?: AbortSignal,
): Promise<ArchiveStore> {
  const list = archive.files.get('manifest.json')
  if (list === undefined) throw new StoreError('PROTOCOL', `${name} has no manifest.json`)
  const images = decodeSavedImages(
    await readEntry(archive, list, `manifest.json of ${name}`),
    `manifest.json of ${name}`,
  )
  const contents: Contents = new Map()
  const entries: Descriptor[] = []
  for (const image of images) {
    const manifest = await composeManifest(name, archive, image, contents, signal)
    const descriptor = { mediaType: DOCKER_MANIFEST, digest: digestOf(manifest), size: manifest.length }
    contents.set(descriptor.digest, manifest)
    const tags = image.RepoTags ?? []
    if (tags.length === 0) entries.push(descriptor)
    for (const tag of tags) entries.push({ ...descriptor, annotations: nameAnnotations(tag) })
  }
  const index = parseLayoutIndex(encodeIndex({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: entries }), name)
  return new DockerArchive(name, archive.file, index, (digest) => contents.get(digest))
}

class DockerArchive extends ArchiveStore {
  /** Without the names, which are the archive's: the same image is the same whatever it is called. */
  override async resolve(reference: string | undefined, options?: CallOptions): Promise<Descriptor> {
    const { mediaType, digest, size } = await super.resolve(reference, options)
    return { mediaType, digest, size }
  }
}

function decodeSavedImages(bytes: Uint8Array, what: string): readonly SavedImage[] {
  const json = parseJson(bytes, what)
  try {
    return savedImagesType.decode(json, undefined, '') ?? []
  } catch (cause) {
    throw new ManifestError('MANIFEST_INVALID', `${what} is malformed: ${(cause as Error).message}`, { cause })
  }
}

async function composeManifest(
  name: string,
  archive: OpenArchive,
  image: SavedImage,
  contents: Contents,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const configFile = findFile(archive, image.Config, name)
  const config = await readEntry(archive, configFile, `${image.Config} of ${name}`)
  const configDigest = digestOf(config)
  contents.set(configDigest, configFile)
  const { diffIds } = decodeImageConfig(config, `${image.Config} of ${name}`)
  const paths = image.Layers ?? []
  if (diffIds.length !== paths.length)
    throw new StoreError(
      'PROTOCOL',
      `${name}: ${image.Config} lists ${diffIds.length} layers, manifest.json ${paths.length}`,
    )
  const layers: Descriptor[] = []
  for (const [i, path] of paths.entries()) {
    const file = findFile(archive, path, name)
    const mediaType = await layerType(archive, file)
    const diffId = diffIds[i]!
    const known = mediaType === DOCKER_LAYER && isDigest(diffId)
    const digest = known ? diffId : await hashEntry(archive, file, signal)
    contents.set(digest, file)
    layers.push({ mediaType, digest, size: file.size })
  }
  return encodeManifest({
    schemaVersion: 2,
    mediaType: DOCKER_MANIFEST,
    config: { mediaType: DOCKER_CONFIG, digest: configDigest, size: config.length },
    layers,
  })
}

function findFile(archive: OpenArchive, path: string, name: string): TarFile {
  const file = archive.files.get(path)
  if (file === undefined)
    throw new StoreError('NOT_FOUND', `${name} has no file "${path}", which its manifest.json names`)
  return file
}

/** Detected from the first bytes: nothing else says it. */
async function layerType(archive: OpenArchive, { offset, size }: TarFile): Promise<string> {
  const magic = new Uint8Array(Math.min(4, size))
  await archive.file.read(magic, offset)
  const starts = (...bytes: number[]) => bytes.every((byte, i) => magic[i] === byte)
  if (starts(0x1f, 0x8b, 0x08)) return DOCKER_LAYER_GZIP
  if (starts(0x28, 0xb5, 0x2f, 0xfd)) return DOCKER_LAYER_ZSTD
  return DOCKER_LAYER
}

async function hashEntry(
  { file }: OpenArchive,
  { offset, size }: TarFile,
  signal: AbortSignal | undefined,
): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of file.range(offset, offset + size, { signal, reuse: true })) hash.update(chunk)
  return `sha256:${hash.digest('hex')}`
}

/** As containerd names what it imports: in full, and the tag. A name that docker would not take is kept as it is. */
function nameAnnotations(repoTag: string): ReadonlyMap<string, string> {
  try {
    const reference = parseReference(repoTag)
    return new Map([
      [IMAGE_NAME, formatReference(reference)],
      [REF_NAME, reference.tag ?? 'latest'],
    ])
  } catch {
    return new Map([[IMAGE_NAME, repoTag]])
  }
}
