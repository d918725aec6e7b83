// The union of layers against containerd's `archive.Apply`: generated layers, applied one after the other to one folder. Names, types, bytes, links, owners,
// modes and times must be the same. Left out are layers with entries below a symlink of a layer beneath: there containerd's overlay, which applies each layer
// by itself, shows a directory in the symlink's place, as we do, and one folder follows the symlink. Opaque whiteouts come first in their layer: after other
// entries Apply also removes what the layer itself has in directories that it does not list.
import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { openImage } from '../../packages/sociable/dist/src/index.js'
import { cleanPath, parentPath } from '../../packages/sociable/dist/src/reading/layer-tree.js'
import { decodePath, encodePath } from '../../packages/sociable/dist/src/reading/path-bytes.js'
import { Dice } from '../lib/dice.mjs'
import { ask } from '../lib/oracle.mjs'
import { entry } from '../lib/tar.mjs'

export const name = 'union of layers, against containerd'

const AT_ONCE = 50
const NAMES = ['a', 'b', 'c', 'd', 'é', '\ufffd', 'raw\xff', 'raw\xfe', '...', '.x'].map((text) =>
  /[\xfe\xff]/.test(text) ? Buffer.from(text, 'latin1') : Buffer.from(text),
)

export async function run({ oracle, seed, count, quick, check, log }) {
  const total = quick ? 400 : count
  const verdicts = { ok: 0, refused: 0, ambiguous: 0 }
  for (let from = 0; from < total; from += AT_ONCE) {
    const cases = Array.from({ length: Math.min(AT_ONCE, total - from) }, (_, i) =>
      makeLayers(new Dice(seed + from + i)),
    )
    const requests = cases.map((layers) => ({
      layers: layers.map(({ tar }) => Buffer.from(tar).toString('base64')),
      naive: true,
    }))
    const answers = await ask(oracle, 'apply', requests)
    for (const [i, answer] of answers.entries()) {
      if (answer.verdict === 'unavailable') return log(`not compared: ${answer.error}`)
      const what = `layers of seed ${seed + from + i}`
      const shown = await ours(cases[i]).catch((error) => error)
      if (shown instanceof Error) check(what, `${shown.stack}`)
      else if (leadsBelowSymlink(cases[i])) verdicts.ambiguous++
      else if (answer.verdict === 'refused')
        verdicts.refused++ // no runtime shows it; that it can be listed is enough
      else {
        verdicts.ok++
        check(what, difference(shown, theirs(answer.entries ?? []), cases[i]))
      }
    }
  }
  log(
    `${verdicts.ok} compared; listed only: ${verdicts.refused} that Apply refuses, ${verdicts.ambiguous} below symlinks of other layers`,
  )
}

const ODD_NAMES = ['.', '..', '/', './', 'x/..', '../up', '/abs']
const hidden = (name) => Buffer.concat([Buffer.from('.wh.'), name])

/** One to four layers of a few entries each, from few names, so that they meet. */
function makeLayers(dice) {
  const layers = Array.from({ length: 1 + dice.below(4) }, () => [])
  let content = 0
  for (const own of layers) {
    const chaos = dice.chance(0.3) // then paths meet as they like, and Apply refuses many
    const directories = [Buffer.alloc(0)]
    const files = []
    const fresh = () => joinNames([dice.pick(directories), dice.pick(NAMES)])
    const anywhere = () => joinNames(Array.from({ length: 1 + dice.below(3) }, () => dice.pick(NAMES)))
    for (let entries = 1 + dice.below(9); entries > 0; entries--) {
      const base = chaos ? anywhere() : files.length > 0 && dice.chance(0.2) ? dice.pick(files) : fresh()
      const common = {
        name: written(dice, base),
        mode: 0o400 + dice.below(0o400),
        uid: dice.below(5),
        gid: dice.below(5),
        mtime: 1_600_000_000 + dice.below(1e6),
      }
      const roll = dice.below(100)
      if (roll < 35) {
        own.push({ ...common, type: '0', data: `content ${content++}` })
        files.push(base)
      } else if (roll < 58) {
        own.push({ ...common, name: Buffer.concat([common.name, Buffer.from('/')]), type: '5' })
        directories.push(base)
      } else if (roll < 66) {
        const targets = [fresh(), Buffer.concat([Buffer.from('/'), fresh()]), Buffer.from('..'), Buffer.from('../a')]
        own.push({ ...common, mode: 0o777, type: '2', linkname: dice.pick(targets) })
        if (dice.chance(0.5)) directories.push(base)
      } else if (roll < 80 && files.length > 0) {
        // Not to what a layer beneath has: an overlay refuses that, and in one folder the link changes that file's owner and mode
        const targets =
          chaos && layers.length === 1
            ? [dice.pick(files), anywhere(), Buffer.from('/'), Buffer.from('.')]
            : [dice.pick(files)]
        own.push({ ...common, type: '1', linkname: dice.pick(targets) })
      } else if (roll < 90) own.push({ name: joinNames([dice.pick(directories), hidden(dice.pick(NAMES))]), type: '0' })
      else if (roll < 94)
        own.unshift({ name: joinNames([dice.pick(directories), Buffer.from('.wh..wh..opq')]), type: '0' })
      else own.push({ ...common, name: Buffer.from(dice.pick(ODD_NAMES)), type: dice.pick(['0', '5']) })
    }
  }
  return layers.map((entries) => ({ entries, tar: tarOf(entries) }))
}

/** Whether an entry lies below a symlink of a layer beneath, or below one of its own layer that may lead through such. */
function leadsBelowSymlink(layers) {
  const symlinks = new Set()
  for (const { entries } of layers) {
    // A hard link may be one to a symlink
    const own = entries
      .filter(({ type }) => type === '1' || type === '2')
      .map(({ name }) => cleanPath(decodePath(name)))
    const below = symlinks.size === 0 ? [] : own
    for (const { name, linkname } of entries)
      for (const path of [name, linkname ?? '/'])
        for (let at = parentPath(cleanPath(decodePath(path))); at !== ''; at = parentPath(at))
          if (symlinks.has(at) || below.includes(at)) return true
    for (const path of own) symlinks.add(path)
  }
  return false
}

/** The same path in another spelling now and then. */
function written(dice, path) {
  const roll = dice.below(10)
  const before = roll === 0 ? './' : roll === 1 ? '/' : roll === 2 ? 'a/../' : ''
  return Buffer.concat([Buffer.from(before), path])
}

function joinNames(all) {
  const names = all.filter(({ length }) => length > 0)
  return Buffer.concat(names.flatMap((name, i) => (i === 0 ? [name] : [Buffer.from('/'), name])))
}

function tarOf(entries) {
  const parts = entries.map(({ data = '', ...values }) => entry(values.name, values, data))
  return Buffer.concat([...parts, new Uint8Array(1024)])
}

/** What our union shows of the layers, as the oracle tells it. */
async function ours(layers) {
  const blobs = new Map()
  const put = (bytes, mediaType) => {
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
    blobs.set(digest, bytes)
    return { mediaType, digest, size: bytes.length }
  }
  const config = put(
    Buffer.from('{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}'),
    'application/vnd.oci.image.config.v1+json',
  )
  const descriptors = layers.map(({ tar }) =>
    put(gzipSync(tar, { level: 1 }), 'application/vnd.oci.image.layer.v1.tar+gzip'),
  )
  const manifest = put(
    Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        config,
        layers: descriptors,
      }),
    ),
    'application/vnd.oci.image.manifest.v1+json',
  )
  const image = await openImage({ store: storeOf(blobs, manifest) }, { platform: 'linux/amd64' })
  const shown = []
  for (const { path, type, size, mode, uid, gid, modified, target, layer } of await image.list('', {
    recursive: true,
  })) {
    const bytes = type === 'file' ? await image.read(path).catch(() => undefined) : undefined
    shown.push({
      path,
      type,
      mode,
      uid,
      gid,
      mtime: Date.parse(modified) / 1000,
      isListed: layer !== '',
      ...(type === 'file' && { size, digest: bytes && createHash('sha256').update(bytes).digest('hex') }),
      ...(target !== undefined && { link: target }),
    })
  }
  await image.close()
  return shown
}

/** As little of a store as reading needs. */
function storeOf(blobs, top) {
  return {
    name: 'generated',
    async *fetch({ digest }, { start = 0, end } = {}) {
      yield blobs.get(digest).subarray(start, end)
    },
    exists: async ({ digest }) => blobs.has(digest),
    resolve: async () => top,
    async *tags() {},
    async *referrers() {},
    close: async () => {},
  }
}

function theirs(entries) {
  return entries.map(({ path, link, inode, ...rest }) => ({
    ...rest,
    path: decodePath(Buffer.from(path, 'base64')),
    ...(link !== undefined && { link: decodePath(Buffer.from(link, 'base64')) }),
  }))
}

/** Undefined where both are the same. Of a directory that no layer lists only the name counts, and of times those of files. */
function difference(ours, theirs, layers) {
  const line = ({ path, type, mode, uid, gid, mtime, size, digest, link, isListed }) => {
    const owner = type === 'dir' && isListed === false ? '' : ` ${mode?.toString(8)} ${uid}:${gid}`
    const time = type === 'dir' || type === 'symlink' || hasLinks || directories.has(path) ? '' : ` ${mtime}`
    return `${JSON.stringify(path)} ${type}${type === 'symlink' ? '' : owner}${time} ${size ?? ''} ${digest ?? ''} ${link === undefined ? '' : JSON.stringify(link)}`
  }
  // Apply sets the times of directories at its end, by their paths: a file that has taken the place of one gets them, under all its names
  const hasLinks = layers.some(({ entries }) => entries.some(({ type }) => type === '1' || type === '2'))
  const directories = new Set(
    layers.flatMap(({ entries }) =>
      entries.filter(({ type }) => type === '5').map(({ name }) => cleanPath(decodePath(name))),
    ),
  )
  const unlisted = new Set(ours.filter(({ isListed }) => !isListed).map(({ path }) => path))
  const sorted = (list) =>
    list
      .map((one) => ({ ...one, isListed: !unlisted.has(one.path) }))
      .sort((a, b) => Buffer.compare(encodePath(a.path), encodePath(b.path)))
      .map((one) => line(one.type === 'file' ? one : { ...one, size: undefined, digest: undefined }))
  const [a, b] = [sorted(ours), sorted(theirs)]
  const at = Math.max(a.length, b.length)
  for (let i = 0; i < at; i++)
    if (a[i] !== b[i]) {
      const told = layers.map(({ entries }) =>
        entries
          .map(
            ({ name, type, linkname }) =>
              `${name.toString('latin1')}${type}${linkname ? `>${linkname.toString('latin1')}` : ''}`,
          )
          .join(' '),
      )
      return `ours ${a[i] ?? 'nothing'}, theirs ${b[i] ?? 'nothing'}; layers ${told.join(' | ')}`
    }
  return undefined
}
