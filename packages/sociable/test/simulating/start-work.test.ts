import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTime } from '../../src/simulating/start-time.js'
import {
  type Conversion,
  lazyStart,
  type SimulatedFile,
  type SimulatedLayer,
  startLayer,
  wholePull,
} from '../../src/simulating/start-work.js'

const MEBIBYTE = 1 << 20
const CONDITIONS = { bandwidth: 60e6, latency: 0.003, machineSpeed: 1, programTime: 0.5 }

/** 40 MiB that unpack to 120 MiB, with a point at each 4 MiB. */
const LARGE: SimulatedLayer = {
  digest: 'large',
  size: 40 * MEBIBYTE,
  unpacked: 120 * MEBIBYTE,
  entries: 1000,
  canBeLazy: true,
  points: Array.from({ length: 30 }, (_, i) => ({ in: (i * 40 * MEBIBYTE) / 30, out: i * 4 * MEBIBYTE })),
}
const SMALL: SimulatedLayer = { ...LARGE, digest: 'small', size: MEBIBYTE, unpacked: 3 * MEBIBYTE, points: [] }
const ZSTD: SimulatedLayer = { ...LARGE, digest: 'zstd', canBeLazy: false }

const file = (layer: number, start: number, size: number): SimulatedFile => ({
  layer,
  size,
  parts: [[start, start + size]],
})
/** Within the first span; over the end of the third; the whole of the last. */
const FILES = [file(0, 1000, 5000), file(0, 12 * MEBIBYTE - 10, 20), file(0, 116 * MEBIBYTE, 4 * MEBIBYTE)]
const PLAIN: Conversion = {
  spanSize: 4 * MEBIBYTE,
  minLayerSize: 10 * MEBIBYTE,
  profileSpans: false,
  copied: new Set(),
}
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)

test('spans with any byte of a part are fetched, each once', () => {
  const { waited, prefetched, whole, fuseFiles, entries } = lazyStart([LARGE, SMALL, ZSTD], FILES, PLAIN)
  assert.equal(waited.length, 4) // 0, 2, 3 and 29
  assert.ok(Math.abs(sum(waited) - 4 * (LARGE.size / 30)) < 4)
  assert.deepEqual(
    whole.map(({ size }) => size),
    [SMALL.size, ZSTD.size],
  )
  assert.deepEqual([prefetched, fuseFiles, entries], [[], 3, 1000])
  const none = lazyStart([LARGE], [], PLAIN)
  assert.deepEqual(none.waited, [])
})

test('larger spans are those of the zTOC, joined', () => {
  const { waited } = lazyStart([LARGE], FILES, { ...PLAIN, spanSize: 8 * MEBIBYTE })
  // 0–8, 8–16 and 112–120 MiB
  assert.equal(waited.length, 3)
  assert.ok(Math.abs(sum(waited) - 3 * (LARGE.size / 15)) < 4)
  const all = lazyStart([LARGE], FILES, { ...PLAIN, spanSize: 1024 * MEBIBYTE })
  assert.deepEqual(all.waited, [LARGE.size])
})

test('spans that a profile cuts have about the parts, and are fetched ahead', () => {
  const { waited, prefetched } = lazyStart([LARGE], FILES, { ...PLAIN, profileSpans: true })
  assert.deepEqual(waited, [])
  assert.equal(prefetched.length, 3)
  const [first, second, third] = prefetched as [number, number, number]
  assert.ok(first < 20_000 && second < 20_000, `${first}, ${second}`)
  assert.ok(third > (4 * MEBIBYTE) / 3 && third < (4 * MEBIBYTE) / 3 + 20_000, `${third}`)
})

test('parts that are near to one another share a span', () => {
  const near = [file(0, 0, 1000), file(0, 300_000, 1000)]
  assert.equal(lazyStart([LARGE], near, { ...PLAIN, profileSpans: true }).prefetched.length, 1)
  const far = [file(0, 0, 1000), file(0, 3_000_000, 1000)]
  assert.equal(lazyStart([LARGE], far, { ...PLAIN, profileSpans: true }).prefetched.length, 2)
})

test('copied files come in one more layer, and not by spans', () => {
  const copied = new Set(FILES.slice(0, 2))
  const { whole, prefetched, fuseFiles } = lazyStart([LARGE], FILES, { ...PLAIN, profileSpans: true, copied })
  assert.deepEqual([prefetched.length, fuseFiles], [1, 1])
  assert.deepEqual(whole, [startLayer([LARGE], copied)])
  assert.equal(whole[0]!.size, Math.round((1.15 * 5020) / 3))
})

test('an empty layer and one without points cause no trouble', () => {
  const empty = { ...LARGE, size: 32, unpacked: 0, points: [] }
  const { waited } = lazyStart([empty], [file(0, 0, 10)], { ...PLAIN, minLayerSize: 0, profileSpans: true })
  assert.deepEqual(waited, [])
  assert.ok(Number.isFinite(startTime(lazyStart([empty], [], { ...PLAIN, minLayerSize: 0 }), CONDITIONS).seconds))
})

test('more bandwidth, less latency and a faster machine never make a start slower', () => {
  const works = [
    wholePull([LARGE, ZSTD]),
    lazyStart([LARGE, SMALL], FILES, PLAIN),
    lazyStart([LARGE, SMALL], FILES, { ...PLAIN, profileSpans: true, copied: new Set(FILES) }),
  ]
  for (const work of works) {
    const { seconds, bytes, requests } = startTime(work, CONDITIONS)
    for (const better of [{ bandwidth: 250e6 }, { latency: 0 }, { machineSpeed: 2 }, { programTime: 0 }])
      assert.ok(startTime(work, { ...CONDITIONS, ...better }).seconds <= seconds, JSON.stringify(better))
    assert.ok(seconds > bytes / CONDITIONS.bandwidth)
    assert.ok(requests >= 4)
  }
})
