import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { constants, deflateRawSync } from 'node:zlib'
import { inflateAll, MEMBER_END } from './inflate-all.js'
import { fuzzInflate } from './inflate-fuzz.js'
import { Random } from './random.js'

/** `SOCIABLE_FUZZ_COUNT` and `SOCIABLE_FUZZ_SEED` run it for longer, or again. */
const COUNT = Number(process.env.SOCIABLE_FUZZ_COUNT ?? 600)
const SEED = Number(process.env.SOCIABLE_FUZZ_SEED ?? 1)

test(`zlib's verdict, output and end on ${COUNT} streams, damaged ones among them (seed ${SEED})`, () => {
  const { valid, refused } = fuzzInflate(SEED, COUNT)
  assert.ok(valid > COUNT / 5 && refused > COUNT / 5, `${valid} valid, ${refused} refused: the samples say too little`)
})

/** Writes bit strings as DEFLATE does: the first bit into the lowest free one. */
function bits(...parts: string[]): Buffer {
  const all = parts.join('').replaceAll(' ', '')
  const bytes = Buffer.alloc(Math.ceil(all.length / 8))
  for (let i = 0; i < all.length; i++) if (all[i] === '1') bytes[i >> 3]! |= 1 << (i & 7)
  return bytes
}

const FIXED_EMPTY = '0 10 0000000' // not final, fixed codes, end of block
const FIXED_EMPTY_LAST = '1 10 0000000'

describe('block ends', () => {
  test('more of them in one input than the table holds', () => {
    const count = 5000
    const stream = bits(FIXED_EMPTY.repeat(count), FIXED_EMPTY_LAST)
    for (const chunk of [1, 1000, 1 << 16]) {
      const { result, blocks, consumed } = inflateAll(stream, chunk, 1000)
      assert.equal(result, MEMBER_END)
      assert.equal(consumed, stream.length)
      // Block i ends after (i + 1) * 10 bits: `in` is the next whole byte, `bits` what is left of the byte before
      const expected = Array.from({ length: count }, (_, i) => {
        const end = (i + 1) * 10
        const next = Math.ceil(end / 8)
        return [next, 0, next * 8 - end]
      })
      assert.deepEqual(blocks, expected)
    }
  })

  test('are the same whatever the chunks and slots', () => {
    const random = new Random(7)
    const data = Buffer.concat(
      Array.from({ length: 40 }, () => Buffer.from(random.bytes(300).toString('hex').repeat(20))),
    )
    const stream = deflateRawSync(data, { memLevel: 1 })
    const whole = inflateAll(stream, 1 << 16, 1 << 16)
    assert.ok(whole.blocks.length > 100)
    assert.ok(whole.output.equals(data))
    for (const [chunk, slot] of [
      [1, 1],
      [1, 1 << 16],
      [13, 333],
      [41, 321],
      [1 << 16, 1],
    ] as const) {
      const cut = inflateAll(stream, chunk, slot)
      assert.deepEqual(cut.blocks, whole.blocks, `chunk ${chunk}, slot ${slot}`)
      assert.ok(cut.output.equals(data))
    }
  })

  test('an empty stored block has one, after its lengths', () => {
    const stream = deflateRawSync(Buffer.from('abc'), { finishFlush: constants.Z_FULL_FLUSH })
    const { blocks } = inflateAll(stream, 1, 100)
    assert.deepEqual(blocks.at(-1), [stream.length, 3, 0])
  })
})

describe('overread', () => {
  test('what stands behind the input does not matter: each prefix of a stream asks for more', () => {
    const data = new Random(3).bytes(400)
    const stream = deflateRawSync(Buffer.concat([data, data]), { level: 9 })
    for (let length = 0; length < stream.length; length++) {
      assert.notEqual(inflateAll(stream.subarray(0, length), 64, 1 << 16).result, MEMBER_END, `${length} bytes`)
      assert.ok(inflateAll(stream.subarray(0, length), 64, 1 << 16).result > 0, `${length} bytes give no error`)
    }
  })

  test('trailing bytes are given back', () => {
    const stream = deflateRawSync(Buffer.from('hello, hello, hello'))
    for (const chunk of [1, 5, 1 << 16]) {
      assert.equal(inflateAll(Buffer.concat([stream, Buffer.alloc(30, 0xff)]), chunk, 1000).consumed, stream.length)
    }
  })
})

describe('matches', () => {
  for (const period of [1, 2, 3, 5, 7, 8, 13, 15, 16, 17, 31, 33]) {
    test(`of period ${period}, over slot edges`, () => {
      const data = Buffer.alloc(3000)
      for (let i = 0; i < data.length; i++) data[i] = i % period
      const stream = deflateRawSync(data, { level: 9 })
      for (const slot of [1, 257, 258, 259, 330, 1 << 16])
        assert.ok(inflateAll(stream, 1 << 16, slot).output.equals(data), `slot ${slot}`)
    })
  }

  test('do not reach before the first byte', () => {
    // Fixed codes: literal 'a' (0x30 + 0x61 = 10010001), then length 3 (0000001), distance 2 (00001)
    const tooFar = inflateAll(bits('1 10 10010001 0000001 00001 0000000'), 1, 100)
    assert.ok(tooFar.result < 0)
    const right = inflateAll(bits('1 10 10010001 0000001 00000 0000000'), 1, 100)
    assert.equal(right.output.toString(), 'aaaa')
  })
})
