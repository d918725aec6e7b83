// What an image lists or has attached besides its platforms: attestations, signatures, SOCI indexes. Each blob is read against its digest.
import { type Descriptor, decodeManifest, isManifestType, type Manifest, readContent, type Store } from '@sociable/oci'
import { SOCI_INDEX_V1 } from '../soci/soci-index.js'
import { COPY_AGAIN, type Findings } from './findings.js'

export interface ArtifactContext {
  readonly store: Store
  readonly findings: Findings
  /** Digests of the blobs that were checked: many artifacts share an empty config. */
  readonly checked: Set<string>
  readonly signal: AbortSignal | undefined
}

/** @param manifest the artifact's; undefined for what is not a manifest, which is read as a blob */
export async function checkArtifact(
  context: ArtifactContext,
  platform: string | undefined,
  descriptor: Descriptor,
  manifest: Manifest | undefined,
): Promise<void> {
  const { store, findings, checked, signal } = context
  const blobs = manifest === undefined ? [descriptor] : [manifest.config, ...(manifest.layers ?? [])]
  for (const blob of blobs) {
    if (checked.has(blob.digest)) continue
    checked.add(blob.digest)
    const what = manifest === undefined ? blob.digest : `blob ${blob.digest} of artifact ${descriptor.digest}`
    await findings.attempt(platform, what, async () => {
      for await (const _ of store.fetch(blob, { reuse: true, signal }));
    })
  }
}

/** What is attached to the image: that it is there, and its blobs. A SOCI index (v1) is checked as such elsewhere. */
export async function checkReferrers(
  context: ArtifactContext,
  platform: string | undefined,
  image: Descriptor,
): Promise<void> {
  const { store, findings, signal } = context
  for await (const descriptor of store.referrers(image, { signal })) {
    if (!isManifestType(descriptor.mediaType) || descriptor.artifactType === SOCI_INDEX_V1) continue
    const what = `referrer ${descriptor.digest} of ${image.digest}`
    if (!(await store.exists(descriptor, { signal }))) {
      findings.add(
        'LEFT_BEHIND',
        platform,
        `${what} (${descriptor.artifactType ?? 'an artifact'}) is listed, but is not in ${store.name}`,
        COPY_AGAIN,
      )
      continue
    }
    const manifest = await findings.attempt(platform, what, async () =>
      decodeManifest(await readContent(store, descriptor, { signal }), descriptor.digest),
    )
    if (manifest !== undefined) await checkArtifact(context, platform, descriptor, manifest)
  }
}
