import { randomBytes } from 'node:crypto'
import { open, realpath, rename, rm, stat } from 'node:fs/promises'
import { whileBusy } from '@sociable/oci'
import { namingPath } from '../reading/named-path.js'

/**
 * Writes a file that is either there whole or as it was before: the bytes go to a file beside it, which then takes its name. What is no
 * regular file (`/dev/null`, a pipe) is written as it stands.
 */
export async function writeFileAtomically(
  file: string,
  pieces: readonly Uint8Array[],
  signal: AbortSignal,
): Promise<void> {
  const existing = await stat(file).catch(() => undefined)
  if (existing !== undefined && !existing.isFile()) return writePieces(file, 'w', pieces, signal)
  // A link stays one; its target is replaced.
  const target = existing === undefined ? file : await realpath(file)
  const temporary = `${target}.${randomBytes(6).toString('hex')}.tmp`
  try {
    await writePieces(temporary, 'wx', pieces, signal, existing?.mode)
    signal.throwIfAborted()
    await whileBusy(() => rename(temporary, target))
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

async function writePieces(
  file: string,
  flags: string,
  pieces: readonly Uint8Array[],
  signal: AbortSignal,
  mode?: number,
): Promise<void> {
  const handle = await open(file, flags, mode)
  try {
    for (const piece of pieces) {
      signal.throwIfAborted()
      await namingPath(file, handle.writeFile(piece))
    }
  } finally {
    await handle.close()
  }
}
