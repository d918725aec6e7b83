import { isDigest } from '../document/digest.js'
import { StoreError } from '../error.js'
import { type LayoutIndex, parseLayoutIndex } from '../layout/layout-index.js'
import { checkLayoutVersion, LAYOUT_FILE } from '../layout/layout-version.js'
import { ArchiveStore, type OpenArchive, readEntry } from './archive-store.js'

/**
 * Opens an image layout in a tar: an OCI archive, or what `docker save` makes since version 25.
 * @throws StoreError PROTOCOL, ManifestError
 */
export async function openOciArchive(name: string, archive: OpenArchive): Promise<ArchiveStore> {
  return new ArchiveStore(name, archive.file, await readArchiveIndex(name, archive), (digest) =>
    archive.files.get(blobName(digest)),
  )
}

/** Its index.json, the layout's version checked. */
export async function readArchiveIndex(name: string, archive: OpenArchive): Promise<LayoutIndex> {
  const version = archive.files.get(LAYOUT_FILE)
  if (version !== undefined) checkLayoutVersion(await readEntry(archive, version, `${LAYOUT_FILE} of ${name}`), name)
  const index = archive.files.get('index.json')
  if (index === undefined) throw new StoreError('PROTOCOL', `${name} is not an OCI archive: it has no index.json`)
  const what = `index.json of ${name}`
  return parseLayoutIndex(await readEntry(archive, index, what), what)
}

/** A blob's path within a layout. */
export function blobName(digest: string): string {
  return `blobs/${digest.replace(':', '/')}`
}

/** The digest that a blob's path stands for; `undefined` for any other file. */
export function digestNamed(path: string): string | undefined {
  const [, algorithm, hex] = /^blobs\/([^/]+)\/([^/]+)$/.exec(path) ?? []
  const digest = `${algorithm}:${hex}`
  return isDigest(digest) ? digest : undefined
}
