// What of an image goes to the destination as it is: configs, layers that are not indexed, and entries that are never changed.
import {
  contentsOf,
  copyContent,
  type Descriptor,
  decodeDocument,
  isIndexType,
  isManifestType,
  readContent,
  type Store,
  StoreError,
} from '@sociable/oci'
import { inContext } from '../error.js'
import type { ImageTree } from '../image/image-tree.js'
import { isNonDistributable } from '../image/layer-type.js'
import { parallel } from '../parallel.js'

/** Blobs copied at once. */
const COPIES_AT_ONCE = 4

export interface CopyTask {
  readonly source: Store
  readonly destination: Store
  /** The image's, for messages. */
  readonly name: string
  /** Called for each that has come to the destination. */
  readonly onBlob: (blob: Descriptor, present: boolean) => void
  readonly onWarning: (message: string) => void
}

/** Whether a content of the source is in the destination without asking: in one repository, which has what its manifests name. */
export function isInPlace(source: Store, destination: Store): boolean {
  return source === destination && destination.mount !== undefined
}

/** Configs and layers of the manifests that will be converted, each once, without those that `indexed` holds by digest. */
export function blobsToCopy(tree: ImageTree, indexed: ReadonlySet<string>): Descriptor[] {
  const blobs = new Map<string, Descriptor>()
  for (const { kind, manifest } of tree.entries) {
    if (manifest === undefined || kind === 'soci-index') continue
    for (const blob of contentsOf(manifest))
      if (!indexed.has(blob.digest)) blobs.set(`${blob.digest} ${blob.size}`, blob)
  }
  return [...blobs.values()]
}

/** Copies the blobs, each verified. Layers that lie elsewhere by design may be absent. @throws StoreError with the blob named */
export async function copyBlobs(
  task: CopyTask,
  blobs: readonly Descriptor[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const { source, destination, name } = task
  await parallel(blobs, COPIES_AT_ONCE, signal, async (blob, signal) => {
    if (isInPlace(source, destination)) return task.onBlob(blob, true)
    try {
      const how = await copyContent(source, blob, destination, { signal })
      task.onBlob(blob, how === 'present')
    } catch (error) {
      if (error instanceof StoreError && error.code === 'NOT_FOUND' && isNonDistributable(blob.mediaType))
        task.onWarning(`layer ${blob.digest} is not in ${name}: a non-distributable layer stays where its urls say`)
      else throw inContext(error, `${blob.digest} of ${name}`)
    }
  })
}

/** Copies an entry that is never changed with all that it refers to, as far as the source has it; what is referred to comes first. */
export async function copyTree(task: CopyTask, top: Descriptor, signal: AbortSignal | undefined): Promise<void> {
  const { source, destination, name } = task
  if (isInPlace(source, destination)) return
  const seen = new Set<string>()
  const copy = async (descriptor: Descriptor): Promise<void> => {
    const key = `${descriptor.mediaType} ${descriptor.digest}`
    if (seen.has(key) || !(await source.exists(descriptor, { signal }))) return
    seen.add(key)
    if (isIndexType(descriptor.mediaType) || isManifestType(descriptor.mediaType)) {
      const bytes = await readContent(source, descriptor, { signal })
      for (const child of contentsOf(decodeDocument(bytes, descriptor.mediaType, descriptor.digest))) await copy(child)
    }
    const how = await copyContent(source, descriptor, destination, { signal })
    task.onBlob(descriptor, how === 'present')
  }
  try {
    await copy(top)
  } catch (error) {
    throw inContext(error, `${top.digest} of ${name}`)
  }
}
