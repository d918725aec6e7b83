// Random small layers: tars with quirks in gzip streams with quirks, some damaged. The same seed gives the same layer.
import { constants, deflateRawSync } from 'node:zlib'
import { bytes, concat, noise, prose } from './bytes.mjs'
import { DeflateWriter, match } from './deflate.mjs'
import { Dice } from './dice.mjs'
import { gzip, zlib } from './gzip.mjs'
import { base256, entry, gnuLong, pax, zeros } from './tar.mjs'

/** { layer, compression, spanSize, buildTool } for the seed. */
export function fuzzLayer(seed) {
  const dice = new Dice(seed)
  const tar = makeTar(dice)
  const compression = dice.chance(0.12) ? 'uncompressed' : 'gzip'
  const layer = compression === 'gzip' ? makeGzip(dice, tar) : damage(dice, tar, 0.15)
  const spanSize = dice.pick([
    dice.below(3),
    1 + dice.below(tar.length + 2),
    512 * dice.below(40),
    32768 * dice.below(4) + dice.below(3),
    4194304,
  ])
  return {
    layer,
    compression,
    spanSize: compression === 'gzip' ? spanSize : 100 + spanSize, // span size 0 makes the reference panic
    buildTool: dice.pick(['AWS SOCI CLI v0.2', 'sociable v1', '', 'ü']),
  }
}

function content(dice) {
  const size = dice.pick([0, dice.below(20), dice.below(3000), 512 * dice.below(8), dice.chance(0.1) ? 90_000 : 700])
  const seed = dice.below(1000)
  return dice.pick([() => zeros(size), () => prose(seed, size), () => noise(seed, Math.min(size, 9000))])()
}

const names = [
  'f',
  'dir/',
  './a/../b',
  'n'.repeat(100),
  'é\u2028😀',
  '__proto__',
  '.wh..wh..opq',
  '/abs',
  '',
  Uint8Array.of(0xff, 0x41),
]

function makeTar(dice) {
  const parts = Array.from({ length: dice.below(9) }, () => makeEntry(dice))
  const ending = dice.pick([
    () => zeros(1024),
    () => zeros(1024),
    () => zeros(1024),
    () => zeros(512 * dice.below(22)),
    () => zeros(dice.below(1300)),
    () => concat(zeros(1024), noise(1, dice.below(700))),
    () => concat(zeros(1024), entry('not seen', {}, 'x')),
  ])()
  const tar = concat(...parts, ending)
  if (dice.chance(0.06)) return tar.subarray(0, dice.below(tar.length + 1))
  if (dice.chance(0.05) && tar.length > 0) tar[dice.below(tar.length)] ^= 1 << dice.below(8)
  return tar
}

function makeEntry(dice) {
  const parts = []
  if (dice.chance(0.3)) parts.push(makeRecords(dice))
  if (dice.chance(0.1)) parts.push(gnuLong(dice.pick(['L', 'K']), 'long/'.repeat(dice.below(40))))
  const type = dice.chance(0.02)
    ? dice.pick(['7', 'g', 'S', 'Z'])
    : dice.pick(['0', '0', '0', '\0', '1', '2', '3', '5', '6'])
  const fields = { type, dialect: dice.pick(['ustar', 'ustar', 'gnu', 'gnu', 'v7', 'star']) }
  const number = (size) =>
    dice.pick([dice.below(512), base256(dice.below(2 ** 31) - 2 ** 30, size), `${dice.below(64).toString(8)} `, ' '])
  for (const field of ['mode', 'uid', 'gid', 'mtime']) {
    if (dice.chance(0.15)) fields[field] = number(field === 'mtime' ? 12 : 8)
  }
  if (fields.dialect !== 'v7' && dice.chance(0.2)) Object.assign(fields, { uname: 'root', gname: 'g'.repeat(32) })
  if (fields.dialect === 'ustar' && dice.chance(0.1)) fields.prefix = 'some/prefix'
  if (type === '1' || type === '2') fields.linkname = dice.pick(['f', 'l'.repeat(100), ''])
  const data = '0\0'.includes(type) ? content(dice) : ''
  if (data === '' && dice.chance(0.03)) fields.size = dice.below(5000)
  parts.push(entry(dice.pick(names), fields, data))
  return concat(parts)
}

function makeRecords(dice) {
  if (dice.chance(0.03)) return pax(bytes(dice.pick(['x', '5 a=', '12 path=ab\nx', '+9 path=a\n', '9 path=\0\n'])))
  if (dice.chance(0.05)) {
    const size = dice.pick(['0', '4', '700'])
    return pax([`GNU.sparse.size=${size}`, 'GNU.sparse.numblocks=1', `GNU.sparse.map=0,${dice.pick(['0', '4'])}`])
  }
  const pool = [
    () => ['path', dice.pick(['p', 'p/', '', 'x'.repeat(200), Uint8Array.of(0xfe)])],
    () => ['linkpath', 'far'],
    () => ['mtime', dice.pick(['1.5', '-1.25', '253402300800', '1700000000.123456789', '', '+1', '9'.repeat(18)])],
    () => ['uid', dice.pick(['4294967297', '-1', '0'])],
    () => ['size', dice.pick(['', '0', '3'])],
    () => ['SCHILY.xattr.user.a', dice.pick(['', 'v', Uint8Array.of(0, 255)])],
    () => [dice.pick(['10', '9', '__proto__', 'é', '\uffee', '😀', 'comment']), String(dice.below(9))],
  ]
  return pax(Array.from({ length: 1 + dice.below(4) }, () => dice.pick(pool)()))
}

function makeGzip(dice, tar) {
  const cuts = Array.from({ length: dice.chance(0.5) ? 0 : dice.below(5) }, () => dice.below(tar.length + 1))
  const bounds = [0, ...cuts.sort((a, b) => a - b), tar.length]
  const members = bounds.slice(1).map((to, i) => makeMember(dice, tar.subarray(bounds[i], to)))
  if (dice.chance(0.1)) members.push(gzip(''))
  if (dice.chance(0.03)) members.push(zlib(dice.pick(['', 'z'])))
  return damage(dice, concat(members), 0.25)
}

function makeMember(dice, data) {
  const header = {}
  if (dice.chance(0.1)) header.name = 'n'.repeat(dice.pick([0, 5, 511, 512]))
  if (dice.chance(0.1)) header.comment = 'c'
  if (dice.chance(0.1)) header.extra = zeros(dice.below(20))
  if (dice.chance(0.1)) header.hcrc = true
  if (dice.chance(0.02)) header.flags = 0x20 << dice.below(3)
  return gzip(data, { ...header, deflated: dice.chance(0.5) ? byHand(dice, data) : byZlib(dice, data) })
}

/** Blocks of every kind at random places, empty ones too. */
function byHand(dice, data) {
  const writer = new DeflateWriter()
  let from = 0
  for (let last = false; !last; ) {
    const to = dice.chance(0.2) ? from : Math.min(data.length, from + 1 + dice.below(dice.pick([40, 900, 40_000])))
    last = to === data.length && dice.chance(0.7)
    const kind = dice.below(3)
    if (kind === 0) writer.stored(data.subarray(from, to), { last })
    else writer[kind === 1 ? 'fixed' : 'dynamic'](match(data.subarray(0, to), { from }), { last })
    from = to
  }
  return writer.finish()
}

/** Streams of Node's zlib, with flushes between. */
function byZlib(dice, data) {
  const options = {
    level: dice.below(10),
    memLevel: 1 + dice.below(9),
    strategy: dice.below(5),
    windowBits: 9 + dice.below(7),
  }
  const at = dice.chance(0.6) ? 0 : dice.below(data.length + 1)
  const first =
    at === 0 ? [] : deflateRawSync(data.subarray(0, at), { ...options, finishFlush: constants.Z_SYNC_FLUSH })
  return concat(new Uint8Array(first), new Uint8Array(deflateRawSync(data.subarray(at), options)))
}

function damage(dice, layer, probability) {
  if (!dice.chance(probability)) return layer
  const at = dice.below(layer.length + 1)
  return dice.pick([
    () => layer.subarray(0, at),
    () => concat(layer, dice.pick([[0], zeros(600), 'garbage', [0x1f], [0x1f, 0x8b], [0x1f, 0x8b, 8, 0]])),
    () => concat(layer.subarray(0, at), [dice.below(256)], layer.subarray(at)),
    () => {
      const changed = new Uint8Array(layer)
      if (at < changed.length) changed[at] ^= 1 << dice.below(8)
      return changed
    },
    () => {
      const changed = new Uint8Array(layer)
      const place = Math.max(0, changed.length - 1 - dice.below(40)) // the trailer and the last block
      if (changed.length > 0) changed[place] ^= 1 << dice.below(8)
      return changed
    },
  ])()
}
