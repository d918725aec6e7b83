import { StoreError } from '../error.js'
import type { RandomAccessFile } from '../file/random-access.js'
import type { ArchiveStore } from './archive-store.js'
import { uncompressedArchive } from './compressed-archive.js'
import { openDockerArchive } from './docker-archive.js'
import { openOciArchive } from './oci-archive.js'
import { indexTar } from './tar-index.js'

/**
 * Opens an archive for reading, in whatever form it is: its headers are read, its data stays where it is. One that is compressed with gzip is unpacked
 * into a temporary file. The store closes the file, which is closed too if this fails.
 * @throws StoreError PROTOCOL, ManifestError
 */
export async function openArchive(name: string, opened: RandomAccessFile, signal?: AbortSignal): Promise<ArchiveStore> {
  let file = opened
  try {
    file = await uncompressedArchive(opened, name, signal)
    const archive = { file, files: await indexTar(file, name, signal) }
    if (archive.files.has('index.json')) return await openOciArchive(name, archive)
    if (archive.files.has('manifest.json')) return await openDockerArchive(name, archive, signal)
    const old = archive.files.has('repositories') ? ' (as Docker before 1.10 wrote it: save the image again)' : ''
    throw new StoreError(
      'PROTOCOL',
      `${name} is not an image archive: it has neither index.json nor manifest.json${old}`,
    )
  } catch (error) {
    await file.close()
    throw error
  }
}
