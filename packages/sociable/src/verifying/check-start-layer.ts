// A start layer against the layers below it: it must not change anything that these show.
import { createHash } from 'node:crypto'
import { type FileEntry, FileError } from '@sociable/ztoc'
import { ImageError } from '../error.js'
import { isStartLayer } from '../image/start-layer-mark.js'
import { join, type LayerTree } from '../reading/layer-tree.js'
import type { LazyLayer } from '../reading/lazy-layer.js'
import { type Found, headerOf, isDirectory, Union } from '../reading/union.js'
import { keptRecords } from '../start-layer/tar-entry.js'

/** A file that both have; their bytes are compared when all files are known. */
interface Pair {
  readonly path: string
  readonly own: Found
  readonly below: Found
}

/**
 * Compares type, bytes, mode, owner, time and extended attributes of all that the image's start layers have, and looks for whiteouts in them. Each layer is read
 * once, and no file is held in memory.
 * @param differs called with a path from the root, and how it differs
 * @throws StoreError, LayerFormatError, ZtocFormatError
 */
export async function checkStartLayer(
  layers: readonly LazyLayer[],
  differs: (path: string, how: string) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  const isStart = ({ descriptor }: LazyLayer) => isStartLayer(descriptor)
  const unionOf = (some: readonly LazyLayer[]) => new Union(some.map((layer) => () => layer.open(signal)))
  const own = unionOf(layers.filter(isStart))
  const below = unionOf(layers.filter((layer) => !isStart(layer)))
  for (const layer of new Set(layers.filter(isStart)))
    for (const path of whiteoutsOf((await layer.open(signal)).tree)) differs(path, 'is removed by the start layer')
  const pairs: Pair[] = []
  const compare = async (found: Found): Promise<void> => {
    const { path } = found
    const other = await below.lookup(path)
    if (other === undefined) return differs(path, 'is not in the layers below')
    const [a, b] = await Promise.all([own.hardlinkTarget(found), below.hardlinkTarget(other)]).catch(noTarget)
    if (a === undefined || b === undefined) return differs(path, 'is a hard link to what is not there')
    if (isDirectory(found) && found.entry === undefined && isDirectory(other)) return // not listed: it changes nothing
    const type = isDirectory(other) ? 'dir' : b.entry!.type
    if (a.entry!.type !== type) return differs(path, `is a ${a.entry!.type}, in the layers below a ${type}`)
    const [mine, theirs] = [attributesOf(found, a), attributesOf(other, b)]
    for (const name of new Set([...mine.keys(), ...theirs.keys()])) {
      const [is, shouldBe] = [mine.get(name), theirs.get(name)]
      if (is !== shouldBe)
        differs(path, `has the ${name} ${is ?? '(none)'}, in the layers below ${shouldBe ?? '(none)'}`)
    }
    if (type === 'reg') pairs.push({ path, own: a, below: b })
  }
  const root = await own.lookup('')
  if (root?.entry !== undefined) await compare(root)
  for await (const found of own.descendants('', signal)) await compare(found)
  const [mine, theirs] = [new FileDigests(layers), new FileDigests(layers)]
  for (const { path, own, below } of pairs)
    for (const [digests, { layer, entry }] of [[mine, own] as const, [theirs, below] as const]) {
      const obstacle = await digests.add(layer!.digest, entry!, signal)
      if (obstacle !== undefined) differs(path, `cannot be compared: ${obstacle}`)
    }
  await mine.read(signal)
  await theirs.read(signal)
  for (const { path, own, below } of pairs)
    if (mine.of(own) !== theirs.of(below)) differs(path, 'has other bytes in the layers below')
}

function noTarget(error: unknown): [] {
  if (error instanceof ImageError && error.code === 'PATH_NOT_FOUND') return []
  throw error
}

/** What a path has besides its bytes, by name. A directory that no layer lists has nothing. */
function attributesOf(found: Found, content: Found): Map<string, string> {
  const attributes = new Map<string, string>()
  const [entry, header] = [content.entry, headerOf(found)]
  if (entry === undefined || header === undefined) return attributes
  attributes.set('mode', (header.mode & 0o7777).toString(8))
  attributes.set('owner', `${header.uid}:${header.gid}`)
  attributes.set('time', header.modTime)
  if (entry.type === 'symlink') attributes.set('target', Buffer.from(entry.linknameBytes).toString('latin1'))
  if (entry.type === 'char' || entry.type === 'block') attributes.set('device', `${entry.devmajor}:${entry.devminor}`)
  for (const [keyBytes, value] of keptRecords(entry, header)) {
    const key = Buffer.from(keyBytes).toString()
    if (key.startsWith(XATTR))
      attributes.set(`attribute ${key.slice(XATTR.length)}`, Buffer.from(value).toString('hex'))
  }
  return attributes
}

const XATTR = 'SCHILY.xattr.'

/** Paths that a layer removes, and folders of which it hides what the layers below have. */
function* whiteoutsOf(tree: LayerTree): Generator<string> {
  const pending = [{ path: '', node: tree }]
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    if (at.node.opaque === true) yield at.path
    for (const name of at.node.whiteouts ?? []) yield join(at.path, name)
    for (const [name, node] of at.node.children ?? []) pending.push({ path: join(at.path, name), node })
  }
}

/** Digests of files, each layer read once for all of its files. */
class FileDigests {
  readonly #layers: readonly LazyLayer[]
  readonly #wanted = new Map<string, Map<number, FileEntry>>()
  readonly #digests = new Map<string, string>()

  constructor(layers: readonly LazyLayer[]) {
    this.#layers = layers
  }

  /** @returns why the file's bytes cannot be located; undefined where they can */
  async add(layer: string, file: FileEntry, signal: AbortSignal | undefined): Promise<string | undefined> {
    try {
      await this.#layerOf(layer).locate(file, signal)
    } catch (error) {
      if (error instanceof FileError) return error.message
      throw error
    }
    const files = this.#wanted.get(layer) ?? new Map<number, FileEntry>()
    this.#wanted.set(layer, files)
    files.set(file.index, file)
    return undefined
  }

  async read(signal: AbortSignal | undefined): Promise<void> {
    for (const [digest, files] of this.#wanted) {
      let current: FileEntry | undefined
      let hash = createHash('sha256')
      const end = () => {
        if (current !== undefined) this.#digests.set(`${digest} ${current.index}`, hash.digest('hex'))
      }
      for await (const { file, bytes } of this.#layerOf(digest).readTogether([...files.values()], signal)) {
        if (file !== current) {
          end()
          current = file
          hash = createHash('sha256')
        }
        hash.update(bytes)
      }
      end()
    }
  }

  /** Undefined where the file's bytes cannot be located. */
  of({ layer, entry }: Found): string | undefined {
    return this.#digests.get(`${layer!.digest} ${entry!.index}`)
  }

  #layerOf(digest: string): LazyLayer {
    return this.#layers.find(({ descriptor }) => descriptor.digest === digest)!
  }
}
