// `--recompress gzip`: layers that a runtime cannot load lazily, or that would be sent uncompressed, become gzip. Their tars and so the image's config stay.
import type { Descriptor, Store } from '@sociable/oci'
import { LayerFormatError, outputLimit } from '@sociable/ztoc'
import { inContext } from '../error.js'
import type { ImageTree, TreeEntry } from '../image/image-tree.js'
import { decideLayer, isLayerType, isNonDistributable } from '../image/layer-type.js'
import { type Spooled, spool, type TemporaryFiles } from '../indexing/temporary-files.js'
import type { Place } from '../places/location.js'
import type { ProgressEvent } from '../progress.js'
import { decodeZstd } from '../reading/zstd-layer.js'
import { compressGzip } from './compress-gzip.js'

/** Of a layer's descriptor in the image manifest: the digest of the layer that it was made of. To be renamed when the encoder's bytes change. */
export const RECOMPRESSED = 'io.github.sociable.recompressed-from'

/** What zstd:chunked and eStargz say of a layer's own bytes. */
const OF_THE_BYTES =
  /^(?:io\.github\.containers\.zstd-chunked\.|containerd\.io\/snapshot\/stargz\/|io\.containers\.estargz\.)/

export interface RecompressTask {
  readonly from: Place
  readonly to: Place
  readonly temporary: TemporaryFiles
  readonly minLayerSize: number
  readonly layerLimit: number | undefined
  readonly onProgress: (event: ProgressEvent) => void
  readonly signal: AbortSignal | undefined
}

export interface RecompressedTree {
  readonly tree: ImageTree
  /** By the new layers' digests: their bytes, undefined for those that an earlier run made. All are in the destination. */
  readonly layers: ReadonlyMap<string, Spooled | undefined>
}

/** Whether a store is in a registry, to which layers are better not sent uncompressed. */
export function isRegistry(store: Store): boolean {
  return store.mount !== undefined
}

/**
 * Puts the new layers into the destination.
 * @param former what the destination's name has; layers that it was given by an earlier run are not made again
 * @throws StoreError, LayerFormatError, with the layer named
 */
export async function recompressLayers(
  task: RecompressTask,
  tree: ImageTree,
  former: ImageTree | undefined,
): Promise<RecompressedTree> {
  const { from, to, signal } = task
  const known = formerLayers(former)
  const renewed = new Map<string, Descriptor>()
  const layers = new Map<string, Spooled | undefined>()
  const entries: TreeEntry[] = []
  for (const entry of tree.entries) {
    if (entry.kind !== 'image' || !entry.manifest!.layers?.some((layer) => isWanted(layer, task))) {
      entries.push(entry)
      continue
    }
    const own: Descriptor[] = []
    for (const layer of entry.manifest!.layers) {
      if (!isWanted(layer, task)) {
        own.push(layer)
        continue
      }
      let made = renewed.get(layer.digest)
      if (made === undefined) {
        const before = known.get(layer.digest)
        if (before !== undefined && (await to.store.exists(before, { signal }))) {
          made = before
          layers.set(made.digest, undefined)
        } else {
          const bytes = await recompress(task, layer).catch((error: unknown) => {
            throw inContext(error, `layer ${layer.digest} of ${from.name}`)
          })
          made = { mediaType: gzipType(layer.mediaType), digest: bytes.digest, size: bytes.size }
          await to.store.push(made, bytes.content(), { signal })
          layers.set(made.digest, bytes)
          const { digest, size } = layer
          task.onProgress({ type: 'recompress', digest, bytes: size, size, made })
        }
        renewed.set(layer.digest, made)
      }
      own.push({ ...made, mediaType: gzipType(layer.mediaType), annotations: annotationsOf(layer) })
    }
    entries.push({ ...entry, manifest: { ...entry.manifest!, layers: own } })
  }
  return { tree: { ...tree, entries }, layers }
}

/** zstd if it is large enough to be loaded lazily; what is not compressed, if it goes to a registry. */
function isWanted(layer: Descriptor, { to, minLayerSize }: RecompressTask): boolean {
  const { mediaType, size } = layer
  if (!isLayerType(mediaType) || isNonDistributable(mediaType)) return false
  if (isZstd(mediaType)) return size >= minLayerSize
  return isUncompressed(layer) && isRegistry(to.store)
}

function isZstd(mediaType: string): boolean {
  return /[.+]zstd$/.test(mediaType)
}

/** Whether a layer is a tar without compression, as its media type says. */
export function isUncompressed({ mediaType }: Descriptor): boolean {
  const decision = decideLayer(mediaType, 0, 0)
  return 'index' in decision && decision.index === 'uncompressed'
}

function gzipType(mediaType: string): string {
  if (isZstd(mediaType)) return mediaType.replace(/zstd$/, 'gzip')
  return `${mediaType}${mediaType.startsWith('application/vnd.docker.') ? '.' : '+'}gzip`
}

function annotationsOf({ annotations, digest }: Descriptor): ReadonlyMap<string, string> {
  const kept = [...(annotations ?? [])].filter(([name]) => !OF_THE_BYTES.test(name))
  return new Map([...kept, [RECOMPRESSED, digest]])
}

/** What an earlier run made, by the digest of what it was made of. */
function formerLayers(former: ImageTree | undefined): Map<string, Descriptor> {
  const known = new Map<string, Descriptor>()
  for (const { manifest } of former?.entries ?? [])
    for (const { mediaType, digest, size, annotations } of manifest?.layers ?? []) {
      const origin = annotations?.get(RECOMPRESSED)
      if (origin !== undefined) known.set(origin, { mediaType, digest, size })
    }
  return known
}

async function recompress(task: RecompressTask, layer: Descriptor): Promise<Spooled> {
  const { from, temporary, layerLimit, onProgress, signal } = task
  const limit = outputLimit(layer.size, layerLimit)
  const counted = async function* (content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let read = 0
    for await (const bytes of content) {
      yield bytes
      read += bytes.length
      onProgress({ type: 'recompress', digest: layer.digest, bytes: read, size: layer.size })
    }
  }
  const tar = async function* (): AsyncGenerator<Uint8Array> {
    const content = counted(from.store.fetch(layer, { reuse: true, signal }))
    let size = 0
    for await (const bytes of isZstd(layer.mediaType) ? decodeZstd(content) : content) {
      signal?.throwIfAborted()
      size += bytes.length
      if (size > limit)
        throw new LayerFormatError('LIMIT_EXCEEDED', `it unpacks to more than ${limit} bytes: set another layer limit`)
      yield bytes
    }
  }
  return await spool(temporary, () => compressGzip(tar()))
}
