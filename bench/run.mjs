// `npm run bench [-- PART… --rounds N --layers NAME,…]`: measures side by side and prints Markdown. Parts: layers, image, start,
// memory (default: all). The numbers also go to bench/results/latest.json. Needs Linux, and takes some minutes; the first time
// more, to make what it measures on. Exit status 1 where a goal is missed.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { build } from '../scripts/build.mjs'

const options = {
  rounds: { type: 'string', default: '5' },
  layers: { type: 'string' },
}
const { values, positionals } = parseArgs({ options, allowPositionals: true })
const rounds = Number(values.rounds)
if (!Number.isInteger(rounds) || rounds < 1)
  throw new Error(`--rounds must be a whole number from 1 up, not ${values.rounds}`)

build()
// After the build: the parts import what it makes
const parts = {
  layers: (await import('./layers.mjs')).benchLayers,
  image: (await import('./image.mjs')).benchImage,
  start: (await import('./start.mjs')).benchStart,
  memory: (await import('./memory.mjs')).benchMemory,
}
const wanted = positionals.length > 0 ? positionals : Object.keys(parts)
const unknown = wanted.find((name) => !parts[name])
if (unknown) throw new Error(`no part ${unknown}; there are ${Object.keys(parts).join(', ')}`)

const cache = fileURLToPath(new URL('../.cache/bench/', import.meta.url))
mkdirSync(cache, { recursive: true })
const temporary = mkdtempSync(`${cache}out-`) // on the inputs' file system, so that blobs can be linked
const machine = {
  cpu: cpus()[0]?.model ?? process.arch,
  cores: cpus().length,
  memory: totalmem(),
  system: `${process.platform} ${release()}`,
  node: process.versions.node,
}
const results = { date: new Date().toISOString(), machine, rounds, parts: {} }
const goals = []
try {
  const gigabytes = (machine.memory / 2 ** 30).toFixed(0)
  const about = `${machine.cpu}, ${machine.cores} cores, ${gigabytes} GiB, ${machine.system}, Node ${machine.node}`
  console.log(`${results.date.slice(0, 10)}. ${about}. Medians of ${rounds} interleaved rounds after one to warm up.\n`)
  for (const name of wanted) {
    const log = (text) => process.stderr.write(`bench: ${text}\n`)
    const {
      text,
      data,
      goals: reached,
    } = await parts[name]({ rounds, layers: values.layers?.split(','), temporary, log })
    console.log(`${text}\n`)
    results.parts[name] = data
    goals.push(...reached)
  }
} finally {
  rmSync(temporary, { recursive: true, force: true })
}
for (const [text, reached] of goals) console.log(`- ${reached ? 'reached' : 'MISSED'}: ${text}`)
const folder = fileURLToPath(new URL('results/', import.meta.url))
mkdirSync(folder, { recursive: true })
writeFileSync(`${folder}latest.json`, JSON.stringify({ ...results, goals }, null, 2))
process.exitCode = goals.every(([, reached]) => reached) ? 0 : 1
