import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { Platform } from '@sociable/oci'
import { decideLayer } from '../../src/image/layer-type.js'
import {
  distinctByPlatform,
  formatPlatform,
  matchesPlatform,
  normalizePlatform,
  parsePlatform,
} from '../../src/image/platform.js'

interface Rules {
  readonly parsed: readonly { readonly spec: string; readonly platform: Platform | null; readonly format?: string }[]
  readonly platforms: readonly Platform[]
  readonly normalized: readonly Platform[]
  /** Row i, column j: '1' where platform i, asked for, matches platform j. */
  readonly matches: readonly string[]
  readonly distinct: readonly Platform[]
  readonly layerTypes: Readonly<Record<string, string>>
}
const rules: Rules = JSON.parse(
  readFileSync(new URL('../../../test/vectors/reference-rules.json', import.meta.url), 'utf8'),
)

test('platform names are read as the reference reads them', () => {
  for (const { spec, platform, format } of rules.parsed)
    if (platform === null) assert.throws(() => parsePlatform(spec), { code: 'PLATFORM_NOT_FOUND' }, spec)
    else {
      assert.deepEqual(parsePlatform(spec), platform, spec)
      assert.equal(formatPlatform(parsePlatform(spec)), format)
    }
})

test('platforms are normalized, matched and made distinct as the reference does', () => {
  assert.deepEqual(rules.platforms.map(normalizePlatform), rules.normalized)
  for (const [i, wanted] of rules.platforms.entries())
    for (const [j, candidate] of rules.platforms.entries())
      assert.equal(
        matchesPlatform(wanted, candidate),
        rules.matches[i]![j] === '1',
        `${JSON.stringify(wanted)} and ${JSON.stringify(candidate)}`,
      )
  const distinct = distinctByPlatform(rules.platforms.map((platform) => ({ platform })))
  assert.deepEqual(
    distinct.map(({ platform }) => platform),
    rules.distinct,
  )
})

test('media types decide what is indexed as in the reference', () => {
  for (const [mediaType, verdict] of Object.entries(rules.layerTypes)) {
    const large = decideLayer(mediaType, 10, 10)
    const small = decideLayer(mediaType, 9, 10)
    if (verdict === 'gzip' || verdict === 'uncompressed') assert.deepEqual(large, { index: verdict }, mediaType)
    else assert.ok((verdict === 'skip' ? 'skip' : 'refuse') in large, mediaType)
    assert.ok((verdict === 'refuse' ? 'refuse' : 'skip') in small, mediaType)
  }
})
