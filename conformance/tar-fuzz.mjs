// Asks the reference what it makes of generated tars (packages/ztoc/test/tar-generator.ts), uncompressed, in spans of 512 bytes.
//
//   node conformance/tar-fuzz.mjs                     writes packages/ztoc/test/fixtures/tar-fuzz.json, for the seeds that the test runs
//   node conformance/tar-fuzz.mjs --check             writes nothing; fails if the reference answers otherwise
//   node conformance/tar-fuzz.mjs --from 5000 --count 20000    compares our own answers for more seeds
//
// Run `npm run build` before.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { generateTar } from '../packages/ztoc/dist/test/tar-generator.js'
import { judgeTar } from '../packages/ztoc/dist/test/tar-judge.js'
import { buildOracle } from './build.mjs'
import { ask } from './lib/oracle.mjs'

const SEEDS = 3000 // in the fixture
const BATCH = 1000
const fixture = join(
  dirname(fileURLToPath(import.meta.url)),
  ...['..', 'packages', 'ztoc', 'test', 'fixtures', 'tar-fuzz.json'],
)

const { values } = parseArgs({
  options: { check: { type: 'boolean' }, from: { type: 'string' }, count: { type: 'string', default: '10000' } },
})
const oracle = buildOracle()
const folder = mkdtempSync(join(tmpdir(), 'tar-fuzz-'))
try {
  if (values.from === undefined) await fixtures()
  else await compare(Number(values.from), Number(values.count))
} finally {
  rmSync(folder, { recursive: true })
}

async function fixtures() {
  const verdicts = []
  for (let seed = 1; seed <= SEEDS; seed += BATCH)
    verdicts.push(...(await reference(seed, Math.min(BATCH, SEEDS + 1 - seed))))
  const text = `${JSON.stringify(verdicts, null, 0).replaceAll('","', '",\n"')}\n`
  if (values.check) {
    if (readFileSync(fixture, 'utf8') !== text) throw new Error(`${fixture}: the reference answers otherwise`)
  } else {
    mkdirSync(dirname(fixture), { recursive: true })
    writeFileSync(fixture, text)
  }
  report(verdicts)
}

async function compare(from, count) {
  const verdicts = []
  let differences = 0
  for (let seed = from; seed < from + count; seed += BATCH) {
    const batch = await reference(seed, Math.min(BATCH, from + count - seed))
    for (const [i, expected] of batch.entries()) {
      const actual = judgeTar(generateTar(seed + i), (seed + i) % 3)
      if (actual === expected) continue
      differences++
      console.log(`seed ${seed + i}: the reference says ${expected}, we say ${actual}`)
    }
    verdicts.push(...batch)
  }
  report(verdicts)
  if (differences > 0) throw new Error(`${differences} differences`)
}

function report(verdicts) {
  const count = (test) => verdicts.filter(test).length
  console.log(
    `${verdicts.length} tars: ${count((v) => v.startsWith('loads'))} load, ${count((v) => v.startsWith('unloadable'))} do not although a zTOC is built, ${count((v) => v === 'refused')} are refused`,
  )
}

/** For each seed `refused`, or the first 16 digits of the zTOC's digest after `loads`, or `unloadable` where the decoder refuses it. */
async function reference(from, count) {
  const requests = Array.from({ length: count }, (_, i) => {
    const layer = join(folder, String(i))
    writeFileSync(layer, generateTar(from + i))
    return { layer, compression: 'uncompressed', spanSize: 512, buildTool: 'fuzz', extract: 0 }
  })
  const answers = await ask(oracle, 'ztoc', requests)
  return answers.map(({ verdict, digest, reason }) => {
    if (verdict === 'refused') return verdict
    return `${reason === 'unmarshal' ? 'unloadable' : 'loads'} ${digest.slice(7, 23)}`
  })
}
