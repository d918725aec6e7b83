// How a runtime gets from a platform's manifest to its SOCI index, and whether all that names it agrees.
import {
  type Descriptor,
  decodeManifest,
  isManifestType,
  type Manifest,
  readContent,
  type Store,
  StoreError,
} from '@sociable/oci'
import { inContext } from '../error.js'
import { IMAGE_MANIFEST_DIGEST, INDEX_DIGEST, SOCI_INDEX_V1, sociIndexVersion } from '../soci/soci-index.js'
import type { ImageTree, TreeEntry } from './image-tree.js'

/** A link between an image and its SOCI index that does not hold. */
export interface LinkProblem {
  /** `left-behind`: what the link names is not in the store; `platform`: the image's entry lacks the platform that the SOCI index's has. */
  readonly kind: 'broken' | 'left-behind' | 'platform'
  readonly message: string
}

export interface SociLookup {
  readonly index?: {
    /** `v2`: named by the manifest's annotation; `v1`: attached to it by its subject. */
    readonly version: 'v1' | 'v2'
    readonly descriptor: Descriptor
    readonly manifest: Manifest
  }
  readonly problems: readonly LinkProblem[]
}

/** The SOCI index of an image's platform; a v2 one is preferred, as runtimes do. @throws StoreError */
export async function findSociIndex(
  store: Store,
  tree: ImageTree,
  entry: TreeEntry,
  signal: AbortSignal | undefined,
): Promise<SociLookup> {
  const digest = entry.manifest!.annotations?.get(INDEX_DIGEST)
  if (digest !== undefined) return await findV2(store, tree, entry, digest, signal)
  const { manifestDescriptor } = entry
  const orphan = tree.entries.find(
    ({ kind, descriptor }) => kind === 'soci-index' && namedManifest(descriptor) === manifestDescriptor!.digest,
  )
  const problems: LinkProblem[] = []
  if (orphan !== undefined)
    problems.push({
      kind: 'broken',
      message: `SOCI index ${orphan.descriptor.digest} names the manifest, but the manifest does not name it: no runtime will find it`,
    })
  for await (const descriptor of store.referrers(manifestDescriptor!, { artifactType: SOCI_INDEX_V1, signal })) {
    const manifest = await readIndex(store, descriptor, signal)
    if (manifest !== undefined) return { index: { version: 'v1', descriptor, manifest }, problems }
    problems.push({
      kind: 'left-behind',
      message: `SOCI index ${descriptor.digest} (v1) is listed as a referrer of the image, but is not in ${tree.name}`,
    })
  }
  return { problems }
}

const namedManifest = ({ annotations }: Descriptor): string | undefined => annotations?.get(IMAGE_MANIFEST_DIGEST)

async function findV2(
  store: Store,
  tree: ImageTree,
  entry: TreeEntry,
  digest: string,
  signal: AbortSignal | undefined,
): Promise<SociLookup> {
  const problems: LinkProblem[] = []
  const add = (message: string, kind: LinkProblem['kind'] = 'broken') => problems.push({ kind, message })
  // Platforms that share all indexed layers share the SOCI index: it is listed once for each, and one of them must name this manifest
  const all = tree.entries.filter(({ descriptor }) => descriptor.digest === digest)
  const listed = all.find(({ descriptor }) => namedManifest(descriptor) === entry.manifestDescriptor!.digest) ?? all[0]
  const inIndex = entry.descriptor.annotations?.get(INDEX_DIGEST)
  if (tree.index !== undefined && inIndex !== digest)
    add(`the manifest names SOCI index ${digest}, its entry in the image index ${inIndex ?? 'none'}`)
  if (listed === undefined)
    add(`SOCI index ${digest} is not listed in the image index: what copies or cleans up the image will miss it`)
  else {
    const named = namedManifest(listed.descriptor)
    if (named !== entry.manifestDescriptor!.digest)
      add(`SOCI index ${digest} says it is of manifest ${named ?? '(none)'}, not ${entry.manifestDescriptor!.digest}`)
    if (entry.descriptor.platform === undefined && listed.descriptor.platform !== undefined)
      add(
        `the entry of the manifest in the image index has no platform, that of SOCI index ${digest} has: runtimes and tools take the SOCI index for the image`,
        'platform',
      )
  }
  const descriptor = listed?.descriptor ?? (await resolveDigest(store, digest, signal))
  const manifest = listed?.manifest ?? (descriptor && (await readIndex(store, descriptor, signal)))
  if (descriptor === undefined || manifest === undefined)
    add(`SOCI index ${digest} is not in ${tree.name}`, 'left-behind')
  else if (sociIndexVersion(manifest) !== 'v2')
    add(`${digest}, named as the SOCI index, is none: its config is of type ${manifest.config.mediaType || '(none)'}`)
  else return { index: { version: 'v2', descriptor, manifest }, problems }
  return { problems }
}

async function resolveDigest(
  store: Store,
  digest: string,
  signal: AbortSignal | undefined,
): Promise<Descriptor | undefined> {
  try {
    return await store.resolve(digest, { signal })
  } catch (error) {
    if (error instanceof StoreError && error.code === 'NOT_FOUND') return undefined
    throw inContext(error, `SOCI index ${digest}`)
  }
}

/** Undefined where the store lacks it, or it is not a manifest. */
async function readIndex(
  store: Store,
  descriptor: Descriptor,
  signal: AbortSignal | undefined,
): Promise<Manifest | undefined> {
  if (!isManifestType(descriptor.mediaType)) return undefined
  try {
    return decodeManifest(await readContent(store, descriptor, { signal }), descriptor.digest)
  } catch (error) {
    if (error instanceof StoreError && error.code === 'NOT_FOUND') return undefined
    throw inContext(error, `SOCI index ${descriptor.digest}`)
  }
}
