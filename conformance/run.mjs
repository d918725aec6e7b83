// Compares our implementation with the reference on what is made afresh, where Go is present.
//
//   node conformance/run.mjs [--quick] [--seed N] [--count N] [--only SUITE]…
//
// The last line is `N passed, N failed`; the exit status tells the same. `npm run build` must have been run.
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { buildOracle, buildSoci, whyNot } from './build.mjs'

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    seed: { type: 'string' },
    count: { type: 'string' },
    only: { type: 'string', multiple: true },
  },
})
const suites = ['vectors', 'fuzz', 'large', 'images', 'documents', 'union']
const quick = values.quick

const reason = whyNot()
if (reason) {
  console.log(`the reference is not compared: ${reason}`)
  console.log('0 passed, 0 failed')
  process.exit(0)
}
if (!existsSync(fileURLToPath(new URL('../packages/sociable/dist/src/index.js', import.meta.url)))) {
  throw new Error('nothing is built yet: run `npm run build` first')
}

const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))
const count = Number(values.count ?? (quick ? 500 : 5000))
const context = { oracle: buildOracle(), soci: buildSoci(), quick, seed, count }
console.log(`seed ${seed}${quick ? ', quick' : ''}`)

const temporary = mkdtempSync(join(tmpdir(), 'conformance-'))
let passed = 0
let failed = 0
try {
  for (const suite of values.only ?? suites) {
    const { name, run } = await import(`./suites/${suite}.mjs`)
    const folder = join(temporary, suite)
    mkdirSync(folder)
    const before = { passed, failed, at: Date.now() }
    const log = (line) => console.log(`  ${line}`)
    const check = (what, problem) => {
      if (problem === undefined) passed++
      else {
        failed++
        log(`FAILED ${what}: ${problem}`)
      }
    }
    console.log(name)
    await run({ ...context, folder, check, log })
    const seconds = ((Date.now() - before.at) / 1000).toFixed(1)
    log(`${passed - before.passed} passed, ${failed - before.failed} failed in ${seconds} s`)
    rmSync(folder, { recursive: true })
  }
} finally {
  rmSync(temporary, { recursive: true, force: true })
}
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed > 0 ? 1 : 0
