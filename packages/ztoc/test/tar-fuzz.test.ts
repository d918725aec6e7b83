import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { PIECE_SIZES } from './pieces.js'
import { generateTar } from './tar-generator.js'
import { judgeTar } from './tar-judge.js'

// Made by `node conformance/tar-fuzz.mjs` from soci-snapshotter v0.16.1, built with Go 1.26.8.
const expected: readonly string[] = JSON.parse(
  readFileSync(new URL('../../test/fixtures/tar-fuzz.json', import.meta.url), 'utf8'),
)

test(`generated tars: ${expected.length} verdicts and zTOC digests as the reference's`, () => {
  for (const [i, verdict] of expected.entries()) {
    const seed = i + 1
    assert.equal(judgeTar(generateTar(seed), seed % PIECE_SIZES.length), verdict, `seed ${seed}`)
  }
})

test('generated tars: the same however they are cut', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const verdicts = PIECE_SIZES.map((_, i) => judgeTar(generateTar(seed), i))
    assert.deepEqual(
      verdicts,
      PIECE_SIZES.map(() => expected[seed - 1]),
      `seed ${seed}`,
    )
  }
})
