// A layer of a million small files in a thousand folders: 1 GB unpacked, some 20 MB packed. Written without tar-stream,
// which would take minutes for as many entries.
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdir, rename, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createGzip } from 'node:zlib'

const BLOCK = 512
const FILES = 1_000_000
const PER_FOLDER = 1000

/**
 * Makes the layer once.
 * @returns {Promise<{ path: string, size: number, unpacked: number, files: number }>} sizes in bytes
 */
export async function millionFiles(log) {
  const path = fileURLToPath(new URL('../.cache/bench/million.tar.gz', import.meta.url))
  const size = () => stat(path).then((found) => found.size)
  const about = { path, unpacked: FILES * 2 * BLOCK + 2 * BLOCK, files: FILES }
  const made = await size().catch(() => undefined)
  if (made !== undefined) return { ...about, size: made }
  log('making a layer of a million files')
  await mkdir(dirname(path), { recursive: true })
  const gzip = createGzip({ level: 6 })
  const file = gzip.pipe(createWriteStream(`${path}.part`))
  const done = once(file, 'finish')
  for (let folder = 0; folder < FILES / PER_FOLDER; folder++)
    if (!gzip.write(folderOfFiles(folder))) await once(gzip, 'drain')
  gzip.end(Buffer.alloc(2 * BLOCK))
  await done
  await rename(`${path}.part`, path)
  return { ...about, size: await size() }
}

function folderOfFiles(folder) {
  const tar = Buffer.alloc(PER_FOLDER * 2 * BLOCK)
  for (let at = 0; at < tar.length; at += 2 * BLOCK) {
    const id = folder * PER_FOLDER + at / (2 * BLOCK)
    const text = `export const id = ${id}\n`
    writeHeader(tar.subarray(at, at + BLOCK), `app/modules-${folder}/module-${id}.js`, text.length)
    tar.write(text, at + BLOCK, 'latin1')
  }
  return tar
}

/** A ustar header of a plain file, mode 0644, owned by root. */
function writeHeader(block, name, size) {
  const octal = (value, digits) => value.toString(8).padStart(digits, '0')
  block.write(name, 0, 'latin1')
  block.write('0000644\0' + '0000000\0' + '0000000\0', 100, 'latin1') // mode, uid, gid
  block.write(`${octal(size, 11)}\0${octal(1767225600, 11)}\0        0`, 124, 'latin1') // size, time, checksum, type
  block.write('ustar\x0000', 257, 'latin1')
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${octal(sum, 6)}\0 `, 148, 'latin1')
}
