import { type Descriptor, decodeIndex, encodeIndex, OCI_INDEX, readContent, type Store } from '@sociable/oci'
import { doubles } from './cloud.js'

/** With these, the layers of small images are indexed, in several spans each. */
export const SMALL = { SpanSize: '4096', MinLayerSize: '0' }

/** An image of two layers of noise, tagged. Its first layer is the same for all seeds. */
export async function pushApp(store: Store, tag: string, seed = tag): Promise<Descriptor> {
  const { noise, pushImage, smallImage } = await doubles()
  const image = smallImage(
    [{ name: 'common', data: noise(50_000, 'common') }],
    [{ name: 'own', data: noise(30_000, seed) }],
  )
  await pushImage(store, image)
  await store.tag(image.manifest, tag)
  return image.manifest
}

/** An image of one layer of noise, so small that memory holds thousands. */
export async function pushSmall(store: Store, tag: string): Promise<void> {
  const { noise, pushImage, smallImage } = await doubles()
  const image = smallImage([{ name: 'own', data: noise(9000, tag) }])
  await pushImage(store, image)
  await store.tag(image.manifest, tag)
}

/** A manifest or index, with the contents that it names. */
export async function pushDocument(
  store: Store,
  mediaType: string,
  document: object,
  tag?: string,
): Promise<Descriptor> {
  const { describe } = await doubles()
  const bytes = new TextEncoder().encode(JSON.stringify({ schemaVersion: 2, mediaType, ...document }))
  const descriptor = describe(mediaType, bytes)
  await store.push(descriptor, bytes)
  if (tag !== undefined) await store.tag(descriptor, tag)
  return descriptor
}

/** A content, pushed. */
export async function pushBlob(store: Store, mediaType: string, content: string | Uint8Array): Promise<Descriptor> {
  const { describe } = await doubles()
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content
  const descriptor = describe(mediaType, bytes)
  await store.push(descriptor, bytes)
  return descriptor
}

/** The image of that tag as an index of one platform, under another tag. */
export async function wrap(store: Store, manifest: Descriptor, tag: string): Promise<Descriptor> {
  const { describe } = await doubles()
  const platform = { architecture: 'amd64', os: 'linux' }
  const bytes = encodeIndex({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [{ ...manifest, platform }] })
  const index = describe(OCI_INDEX, bytes)
  await store.push(index, bytes)
  await store.tag(index, tag)
  return index
}

export async function tagsOf(store: Store): Promise<string[]> {
  const tags: string[] = []
  for await (const tag of store.tags()) tags.push(tag)
  return tags.sort()
}

export async function childrenOf(store: Store, tag: string): Promise<readonly Descriptor[]> {
  const index = await store.resolve(tag)
  return decodeIndex(await readContent(store, index), tag).manifests ?? []
}
