// Files of an image written to this machine. Images are not trusted: no name leads out of the folder, through any link.
import { randomUUID } from 'node:crypto'
import { renameSync } from 'node:fs'
import { chmod, lstat, mkdir, readdir, rmdir, stat } from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import { whileBusy } from '@sociable/oci'
import { ImageError } from './error.js'
import type { ExtractOptions, ExtractResult } from './reading/extract-result.js'
import { type ExtractFiles, type ExtractSource, TreeWriter } from './reading/extract-writer.js'
import { HalfMadeTree } from './reading/half-made-tree.js'
import { baseName, parentPath } from './reading/layer-tree.js'
import { encodePath } from './reading/path-bytes.js'

/** As `mkdir` makes folders, but for the umask. */
const NEW_FOLDER = 0o777

/**
 * Writes what is at `path`, a file or all that is in a directory, into a folder, which appears when it is whole; when the call fails or is aborted, nothing stays.
 *
 * Everything is created new, symlinks last, so nothing is ever written through a link. A symlink is made where it leads to a place within the folder (an
 * absolute one counts from the image's root), as a relative one; with `keepLinks` each as it is. Left out are all other symlinks, devices, pipes, sparse files, and files whose names this system
 * does not allow or cannot distinguish (`A` and `a`); directories of such names are merged. Permissions are kept but for set-id and sticky bits, and files' times; owners and extended attributes are
 * not. Of each layer the spans that are needed are read in their order, each once.
 * @param folder is made, with the folders that it is in; it may be there if it is empty or, for a file, has nothing of the file's name
 * @throws ImageError PATH_NOT_FOUND; DESTINATION_INVALID where the folder has something in it
 */
export async function extractFiles(
  source: ExtractSource,
  path: string,
  folder: string,
  options: ExtractOptions = {},
  files?: ExtractFiles,
): Promise<ExtractResult> {
  const found = await source.union.resolve(path, true)
  const isTree = found.entry === undefined || found.entry.type === 'dir'
  const target = resolve(folder)
  const isThere = await checkFree(folder, isTree ? undefined : baseName(found.path))
  // What is there may be where a file system is mounted: then all is made in it
  const temporary = isThere ? join(target, `.${randomUUID()}.partial`) : `${target}.${randomUUID()}.partial`
  const made = new HalfMadeTree()
  try {
    if (!isThere) made.addParents(dirname(target), await mkdir(dirname(target), { recursive: true }))
    made.add(temporary)
    await mkdir(temporary, 0o700)
    const writer = new TreeWriter(source, isTree ? found.path : parentPath(found.path), temporary, options, files)
    made.directories = () => [...writer.directoriesIn(temporary), ...writer.directoriesIn(target)]
    if (isTree) await writer.addChildren(found.path)
    else await writer.add(found)
    const result = await writer.finish()
    options.signal?.throwIfAborted()
    if (isThere) await moveUp(temporary, target, made)
    else {
      await chmod(temporary, NEW_FOLDER & ~process.umask())
      await whileBusy(async () => {
        renameSync(temporary, target)
        made.add(target) // in one step with the renaming: what somebody else made is never removed
      })
    }
    await writer.setPermissions(target)
    made.keep()
    return result
  } catch (error) {
    await made.remove()
    throw error
  }
}

/** Whether there is such a folder: an empty one, or for a file one that has nothing of its name. @throws ImageError DESTINATION_INVALID where it is anything else */
async function checkFree(folder: string, file: string | undefined): Promise<boolean> {
  const stats = await stat(folder).catch(() => undefined)
  if (stats === undefined) return false
  const isFolder = stats.isDirectory()
  if (isFolder && file !== undefined) {
    const path = Buffer.concat([Buffer.from(folder + sep), encodePath(file)])
    const isTaken = await lstat(path).then(
      () => true,
      () => false,
    )
    if (!isTaken) return true
    throw new ImageError('DESTINATION_INVALID', `${folder} has a file of that name: remove it, or name another folder`)
  }
  if (isFolder && (await readdir(folder)).length === 0) return true
  const problem = isFolder ? 'has files in it' : 'is not a folder'
  throw new ImageError('DESTINATION_INVALID', `${folder} ${problem}: name a folder that is empty, or not there yet`)
}

async function moveUp(from: string, to: string, made: HalfMadeTree): Promise<void> {
  const within = (folder: string, name: Buffer) => Buffer.concat([Buffer.from(folder + sep), name])
  for (const name of await readdir(from, { encoding: 'buffer' })) {
    await whileBusy(async () => {
      renameSync(within(from, name), within(to, name))
      made.add(within(to, name))
    })
  }
  await rmdir(from)
}
