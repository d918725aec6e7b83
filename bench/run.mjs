// `npm run bench [-- PART… --rounds N --layers NAME,…]`: measures side by side and prints Markdown. Parts: layers, image, registry,
// start, memory (default: all of these), and startup (needs root and FUSE; --images small,large and --links 60,250 choose a part of it).
// The numbers also go to bench/results/latest.json. Needs Linux, and takes some minutes; the first time more, to make what it
// measures on. With --write the tables also go into docs/benchmarks.md. Exit status 1 where a goal is missed.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { build } from '../scripts/build.mjs'
import { whyNot } from './startup/parts.mjs'

const options = {
  rounds: { type: 'string', default: '5' },
  layers: { type: 'string' },
  images: { type: 'string' },
  links: { type: 'string' },
  write: { type: 'boolean', default: false },
}
const { values, positionals } = parseArgs({ options, allowPositionals: true })
const rounds = Number(values.rounds)
if (!Number.isInteger(rounds) || rounds < 1)
  throw new Error(`--rounds must be a whole number from 1 up, not ${values.rounds}`)
const reason = positionals.includes('startup') ? whyNot() : undefined
if (reason !== undefined) {
  console.error(`bench: ${reason}`)
  process.exit(1)
}

build()
// After the build: the parts import what it makes
const { others } = await import('./measure.mjs')
const parts = {
  layers: (await import('./layers.mjs')).benchLayers,
  image: (await import('./image.mjs')).benchImage,
  registry: (await import('./registry.mjs')).benchRegistry,
  start: (await import('./start.mjs')).benchStart,
  memory: (await import('./memory.mjs')).benchMemory,
  startup: (await import('./startup/startup.mjs')).benchStartup,
}
const byDefault = Object.keys(parts).filter((name) => name !== 'startup')
const wanted = positionals.length > 0 ? positionals : byDefault
const unknown = wanted.find((name) => !parts[name])
if (unknown) throw new Error(`no part ${unknown}; there are ${Object.keys(parts).join(', ')}`)

const cache = fileURLToPath(new URL('../.cache/bench/', import.meta.url))
mkdirSync(cache, { recursive: true })
const temporary = mkdtempSync(`${cache}out-`) // on the inputs' file system, so that blobs can be linked
const machine = { cpu: cpus()[0]?.model ?? process.arch, cores: cpus().length, memory: totalmem() }
const date = new Date().toISOString().slice(0, 10)
const results = { date, machine, system: process.platform, node: process.versions.node, rounds, parts: {}, goals: [] }
/** What goes into docs/benchmarks.md: start-up has a section of its own there, as its runs are others. */
const texts = { startup: [], all: [] }
const onlyStartup = wanted.every((name) => name === 'startup')
const say = (text, section = onlyStartup ? 'startup' : 'all') => {
  texts[section].push(text)
  console.log(`${text}\n`)
}
const log = (text) => process.stderr.write(`bench: ${text}\n`)
try {
  const where = `${machine.cpu}, ${machine.cores} cores, ${(machine.memory / 2 ** 30).toFixed(0)} GiB, ${process.platform}`
  const warm = onlyStartup ? '' : ' after one to warm up'
  say(`${date}. ${where}, Node ${results.node}. Medians of ${rounds} interleaved rounds${warm}.`)
  const [layers, images, links] = [values.layers, values.images, values.links].map((list) => list?.split(','))
  for (const name of wanted) {
    const part = await parts[name]({ rounds, layers, images, links, temporary, log })
    say(part.text, name === 'startup' ? 'startup' : 'all')
    results.parts[name] = part.data
    results.goals.push(...part.goals)
  }
  if (others.available > 0) {
    const share = `${((others.spent / others.available) * 100).toFixed(1)} %`
    say(
      `Other programs took ${share} of the machine's CPU time meanwhile: with more than a few the wall times mean little.`,
    )
  }
  say(results.goals.map(([text, reached]) => `- ${reached ? 'reached' : '**missed**'}: ${text}`).join('\n'))
} finally {
  rmSync(temporary, { recursive: true, force: true })
}
const folder = fileURLToPath(new URL('results/', import.meta.url))
mkdirSync(folder, { recursive: true })
writeFileSync(`${folder}latest.json`, JSON.stringify(results, null, 2))
if (values.write) writePage()
process.exitCode = results.goals.every(([, reached]) => reached) ? 0 : 1

/** Puts the tables in place of those of the run before. */
function writePage() {
  const page = fileURLToPath(new URL('../docs/benchmarks.md', import.meta.url))
  let text = readFileSync(page, 'utf8')
  for (const [section, parts] of Object.entries(texts)) {
    if (parts.length === 0) continue
    const [begin, end] = [`<!-- measured: ${section} -->\n`, `<!-- end of measured: ${section} -->\n`]
    const [before, after] = [text.indexOf(begin), text.indexOf(end)]
    if (before < 0 || after < before) throw new Error(`${page} has no place for what was measured: ${begin.trim()}`)
    text = `${text.slice(0, before)}${begin}\n${parts.join('\n\n')}\n\n${text.slice(after)}`
  }
  writeFileSync(page, text)
}
