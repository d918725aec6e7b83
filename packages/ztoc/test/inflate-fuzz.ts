import assert from 'node:assert/strict'
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib'
import { inflateAll, MEMBER_END } from './inflate-all.js'
import { Random } from './random.js'

/** Text-like, binary-like, repetitive or random bytes, so that all kinds of blocks and codes come up. */
function sample(random: Random): Buffer {
  const length = random.pick([0, 1, 10, 300, 5000, 70_000, 200_000])
  const out = Buffer.alloc(length)
  const alphabet = random.pick([1, 2, 3, 20, 256])
  for (let at = 0; at < length; ) {
    if (at > 0 && random.below(3) === 0) {
      const distance = 1 + random.below(Math.min(at, random.pick([1, 4, 20, 1000, 32_768])))
      const end = Math.min(length, at + 3 + random.below(random.pick([10, 300])))
      for (; at < end; at++) out[at] = out[at - distance]!
    } else out[at++] = random.below(alphabet) * (alphabet < 100 ? 7 : 1)
  }
  return out
}

function compress(random: Random, data: Buffer): Buffer {
  return deflateRawSync(data, {
    level: random.pick([0, 1, 4, 6, 9]),
    memLevel: random.pick([1, 4, 8, 9]),
    windowBits: random.pick([9, 12, 15]),
    strategy: random.pick([
      constants.Z_DEFAULT_STRATEGY,
      constants.Z_FIXED,
      constants.Z_HUFFMAN_ONLY,
      constants.Z_RLE,
      constants.Z_FILTERED,
    ]),
  })
}

/** Damages a stream: bits flipped, bytes replaced, removed, repeated, cut off; or bytes that never were a stream. */
function damage(random: Random, stream: Buffer): Buffer {
  const bytes = Buffer.from(stream)
  switch (random.below(6)) {
    case 0:
      return bytes.subarray(0, random.below(bytes.length + 1))
    case 1:
      return random.bytes(random.below(400))
    case 2: {
      const at = random.below(bytes.length)
      return Buffer.concat([bytes.subarray(0, at), random.bytes(random.below(4)), bytes.subarray(at + random.below(4))])
    }
    default: {
      // Most of what is interesting happens in the headers of blocks, so mostly near the start
      const span = random.pick([4, 20, 90, bytes.length])
      for (let n = 1 + random.below(4); n > 0 && bytes.length > 0; n--) {
        const at = random.below(Math.min(span, bytes.length))
        bytes[at] = bytes[at]! ^ (1 << random.below(8))
      }
      return bytes
    }
  }
}

interface Verdict {
  readonly ok: boolean
  readonly output?: Buffer
  readonly consumed?: number
}

function zlibVerdict(stream: Buffer): Verdict {
  try {
    const { buffer, engine } = inflateRawSync(stream, { info: true, maxOutputLength: 50_000_000 }) as unknown as {
      buffer: Buffer
      engine: { bytesWritten: number }
    }
    return { ok: true, output: buffer, consumed: engine.bytesWritten }
  } catch (error) {
    const { code } = error as { code?: string }
    if (code === 'Z_DATA_ERROR' || code === 'Z_BUF_ERROR' || code === 'ERR_BUFFER_TOO_LARGE') return { ok: false }
    throw error
  }
}

/** Compares the engine with zlib on `count` streams; throws with the seed of the first that differs. Says how many were valid. */
export function fuzzInflate(seed: number, count: number): { readonly valid: number; readonly refused: number } {
  let valid = 0
  for (let i = 0; i < count; i++) {
    const random = new Random(seed + i)
    const whole = compress(random, sample(random))
    const stream = random.below(4) === 0 ? whole : damage(random, whole)
    const expected = zlibVerdict(stream)
    const chunk = random.pick([1, 2, 7, 100, 4096, 1 << 16])
    const slot = random.pick([1, 40, 1000, 32_768, 1 << 16])
    const actual = inflateAll(stream, chunk, slot, 60_000_000)
    const where = `seed ${seed + i}, chunk ${chunk}, slot ${slot}, ${stream.length} bytes, result ${actual.result}`
    assert.equal(actual.result === MEMBER_END, expected.ok, where)
    if (!expected.ok) continue
    valid++
    assert.ok(expected.output!.equals(actual.output), where)
    assert.equal(actual.consumed, expected.consumed, where)
  }
  return { valid, refused: count - valid }
}
