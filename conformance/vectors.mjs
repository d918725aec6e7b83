// Makes the golden vectors of packages/ztoc/test/vectors: layers by our recipes and by real tools, their verdicts by the oracle.
//
//   node conformance/vectors.mjs            writes layers that are absent, expected.json and origin.json
//   node conformance/vectors.mjs --check    writes nothing; fails if the recipes' bytes or the reference's answers are other ones
//   node conformance/vectors.mjs --remake   runs the real tools again too (their versions may give other bytes)
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildOracle } from './build.mjs'
import { gzip } from './lib/gzip.mjs'
import { ask } from './lib/oracle.mjs'
import { recipes } from './recipes/index.mjs'
import { makeProduced, producers } from './recipes/producers.mjs'

const folder = join(dirname(fileURLToPath(import.meta.url)), '..', 'packages', 'ztoc', 'test', 'vectors')
const cli = 'AWS SOCI CLI v0.2'
const check = process.argv.includes('--check')
const remake = process.argv.includes('--remake')

/** Every layer: { layer, about, made, compression, spans, content (absent: a tool makes it) }. */
let layers = [...recipes, ...producers].sort((a, b) => (a.layer < b.layer ? -1 : 1))

const tools = {
  'gzip-header-plain.tar.gz': ['', cli, 'sociable v1', 'a', '工具 \u2028 é', 'x'.repeat(300), '"<>&\u0000'],
  'plain-small.tar': ['', 'sociable v1'],
}

/** What refused it: the first matching word of the reference's message. */
const categories = [
  [/^span size must be/, 'option'],
  [/gzip zinfo/, 'gzip'],
  [/unsupported input tar entry/, 'entry'],
  [/^gzip: invalid (header|checksum)|reading tar header: (gzip:|flate:)/, 'gzip-go'],
  [/field too long/, 'limit'],
  [/unexpected EOF$/, 'tar-truncated'],
  [/invalid tar header|sparse/, 'tar'],
  [/panic|SIG|no answer|fatal/, 'crash'],
]

async function main() {
  const oracle = buildOracle()
  mkdirSync(folder, { recursive: true })
  const previous = existsSync(join(folder, 'origin.json')) ? JSON.parse(readFileSync(join(folder, 'origin.json'))) : {}
  const absent = producers.filter(({ layer }) => remake || !existsSync(join(folder, layer)))
  const made = check ? {} : makeProduced(absent, folder, oracle, pack)
  layers = layers.filter(({ layer, content }) => content || existsSync(join(folder, layer)))
  const wrong = []
  for (const { layer, content } of layers) {
    const path = join(folder, layer)
    if (!content) continue
    const same = existsSync(path) && Buffer.compare(readFileSync(path), content) === 0
    if (same) continue
    if (check) wrong.push(`${layer}: the recipe makes other bytes`)
    else writeFileSync(path, content)
  }

  const questions = layers.flatMap(({ layer, compression, spans }) =>
    (tools[layer] ?? [cli]).flatMap((buildTool) =>
      spans.map((spanSize) => ({ layer, compression, spanSize, buildTool })),
    ),
  )
  const answers = await ask(
    oracle,
    'ztoc',
    questions.map((q) => ({ ...q, layer: join(folder, q.layer), extract: -1 })),
  )
  const expected = questions.map((question, i) => expectation(question, answers[i]))
  // The library checks options where an index is built, not where a layer is read.
  for (const [layer, compression] of [
    ['gzip-header-plain.tar.gz', 'gzip'],
    ['plain-small.tar', 'uncompressed'],
  ]) {
    expected.push({
      layer,
      compression,
      spanSize: -1,
      buildTool: cli,
      verdict: 'refused',
      category: 'option',
      error: 'span size must be >= 0',
    })
  }

  const lines = `[\n${expected.map((e) => JSON.stringify(e)).join(',\n')}\n]\n`
  const origin = Object.fromEntries(
    layers.map(({ layer, about, made: recipe }) => [
      layer,
      { about, made: recipe ?? made[layer] ?? previous[layer].made },
    ]),
  )
  const files = { 'expected.json': lines, 'origin.json': `${JSON.stringify(origin, null, 1)}\n` }
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name)
    if (!check) writeFileSync(path, content)
    else if (!existsSync(path) || readFileSync(path, 'utf8') !== content)
      wrong.push(`${name}: the reference answers otherwise`)
  }
  const known = new Set([...layers.map(({ layer }) => layer), ...Object.keys(files), 'README.md'])
  for (const name of readdirSync(folder).filter((name) => !known.has(name))) {
    if (check) wrong.push(`${name}: no recipe makes it`)
    else rmSync(join(folder, name))
  }
  const count = (verdict) => expected.filter((e) => e.verdict === verdict).length
  console.log(
    `${layers.length} layers, ${expected.length} expectations: ${['loads', 'unloadable', 'refused', 'crashes'].map((v) => `${count(v)} ${v}`).join(', ')}`,
  )
  for (const line of wrong) console.log(line)
  process.exitCode = wrong.length > 0 ? 1 : 0
}

/** Tars from tools are packed by our own deflate, so that only the tar is the tool's. */
function pack(from, to, kind) {
  if (kind === 'archiver') writeFileSync(to, gzip(readFileSync(from)))
  else copyFileSync(from, to)
}

function expectation(
  question,
  { verdict, digest, size, spans, files, uncompressedSize, xattrs, reason, unopenable, error },
) {
  const message = error?.replaceAll(folder, '').split('\n')[0].slice(0, 200)
  if (verdict === 'refused' || verdict === 'crashes') {
    const category = categories.find(([pattern]) => pattern.test(error))?.[1]
    if (!category) throw new Error(`${question.layer}: what kind of refusal is this? ${error}`)
    return { ...question, verdict, category, error: message }
  }
  const result = { ...question, verdict, digest, size, spans, files, uncompressedSize, xattrs }
  if (unopenable) return { ...result, unopenable: unopenable.slice(0, 200) }
  return verdict === 'loads' ? result : { ...result, reason, error: message }
}

await main()
