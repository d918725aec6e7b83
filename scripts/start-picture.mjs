// Draws docs/images/start.svg: the layers of an image as rows of spans, those that a start reads, and how long starts take.
// `--measure` first runs a start with the real containerd and SOCI snapshotter and writes which spans it reads to docs/images/start.json (Linux, root,
// FUSE and Go, as for bench/startup). `--check` fails if the picture, README.md or the home page do not have the seconds of docs/benchmarks.md.
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { sociable } from '../bench/sociable.mjs'
import { startupImages } from '../bench/startup/images.mjs'
import { startupParts } from '../bench/startup/parts.mjs'
import { traceStart } from '../bench/startup/variants.mjs'
import { startDockerRegistry } from '../packages/oci/dist/test/doubles/real-registries.js'

const [DATA, PICTURE, BENCHMARKS] = ['docs/images/start.json', 'docs/images/start.svg', 'docs/benchmarks.md'].map(
  (path) => fileURLToPath(new URL(`../${path}`, import.meta.url)),
)
/** Rows of the first table of the small image, over 60 MB/s, and what the picture calls them. */
const STARTS = [
  ['full pull, overlayfs', 'Full pull'],
  ['plain SOCI index', 'SOCI index'],
  ['profile, traced', 'SOCI index and profile'],
]

/** @returns {Promise<{ layers: { size: number, spans: { start: number, read: boolean }[] }[] }>} compressed offsets */
async function measure() {
  const parts = startupParts()
  const [image] = await startupImages(['small', 'large'])
  const ends = []
  try {
    const registry = await startDockerRegistry({
      after: (end) => ends.push(end),
      skip: (reason) => console.error(reason),
    })
    if (registry === undefined) throw new Error('docker-registry is missing')
    const name = `${registry.host}/small:plain`
    const [command, ...before] = sociable
    execFileSync(command, [...before, 'convert', '--quiet', `oci:${image.layout}:latest`, name])
    return { layers: await readSpans(name, await traceStart(parts, name)) }
  } finally {
    for (const end of ends.reverse()) await end()
  }
}

/** Which spans of the image's layers have a byte that the profile lists. */
async function readSpans(name, profile) {
  const inside = (file) => import(`../packages/sociable/dist/src/${file}.js`)
  const { openOnly } = await inside('places/location')
  const { readOnePlatform } = await inside('reading/one-platform')
  const { Union } = await inside('reading/union')
  const { resolveProfile } = await inside('start-layer/resolve-profile')
  const { simulatedImage } = await inside('simulating/simulated-image')
  const place = await openOnly(name, 'read', {})
  try {
    const one = await readOnePlatform(place, undefined, undefined)
    const lazy = one.layers(await one.findIndex())
    const resolved = await resolveProfile(new Union(lazy.map((layer) => () => layer.open())), profile)
    const opened = await Promise.all(
      lazy.map(async (layer) => ({ descriptor: layer.descriptor, open: await layer.open() })),
    )
    const { layers, files } = simulatedImage(opened, resolved)
    return layers.map(({ size, unpacked, points }, layer) => {
      const parts = [...files.values()].filter((file) => file.layer === layer).flatMap((file) => file.parts)
      const spans = points.map((point, i) => {
        const end = points[i + 1]?.out ?? unpacked
        return { start: point.in, read: parts.some(([from, to]) => from < end && to > point.out) }
      })
      return { size, spans }
    })
  } finally {
    await place.close()
  }
}

/** Seconds until the first line and megabytes fetched, of the first table of start-ups in the benchmarks. */
function startsOf(benchmarks) {
  return STARTS.map(([row, name]) => {
    const cells = benchmarks
      .split('\n')
      .find((line) => line.startsWith(`| ${row} |`))
      ?.split('|')
      .map((cell) => cell.trim())
    if (cells === undefined) throw new Error(`${BENCHMARKS} has no row "${row}"`)
    return { name, seconds: Number(cells[2]), fetched: cells[6] }
  })
}

const WIDTH = 720
const MARGIN = 24
const INNER = WIDTH - 2 * MARGIN
const BAR = 26

/** @returns {string} SVG */
function draw({ layers }, starts) {
  const rows = layers.filter(({ size }) => size > 1e6)
  const largest = Math.max(...rows.map(({ size }) => size))
  const total = rows.reduce((sum, { size }) => sum + size, 0)
  const read = rows.reduce((sum, { spans, size }) => sum + bytesOf(spans, size), 0)
  const parts = []
  let y = 44
  const text = (x, at, content, name = '') =>
    parts.push(`<text x="${x}" y="${at}"${name && ` class="${name}"`}>${content}</text>`)
  text(MARGIN, y, `What a start reads: ${megabytes(read)} of ${megabytes(total)}`, 'title')
  y += 18
  rows.forEach(({ size, spans }, i) => {
    const width = (bytes) => (bytes / largest) * INNER
    text(MARGIN, y + 16, `Layer ${i + 1}: ${megabytes(size)} in ${spans.length} spans`)
    for (const [at, { start, read }] of spans.entries()) {
      const end = spans[at + 1]?.start ?? size
      const x = MARGIN + width(start)
      parts.push(
        `<rect class="${read ? 'read' : 'cold'}" x="${round(x)}" y="${y + 24}" width="${round(Math.max(0.5, width(end - start) - 1))}" height="${BAR}"/>`,
      )
    }
    y += 24 + BAR + 12
  })
  for (const [name, x, label] of [
    ['read', MARGIN, 'read by the start'],
    ['cold', MARGIN + 170, 'not fetched'],
  ]) {
    parts.push(`<rect class="${name}" x="${x}" y="${y + 3}" width="14" height="14"/>`)
    text(x + 22, y + 15, label)
  }
  y += 62
  text(MARGIN, y, 'Seconds until the first line', 'title')
  y += 14
  const slowest = Math.max(...starts.map(({ seconds }) => seconds))
  for (const { name, seconds, fetched } of starts) {
    const width = (seconds / slowest) * (INNER - 90)
    text(MARGIN, y + 20, `${name}: ${fetched}`)
    parts.push(
      `<rect class="${name === 'Full pull' ? 'slow' : 'read'}" x="${MARGIN}" y="${y + 28}" width="${round(width)}" height="${BAR}"/>`,
    )
    text(MARGIN + round(width) + 10, y + 47, `${seconds.toFixed(2)} s`, 'value')
    y += 28 + BAR + 10
  }
  const title = `${rows.length} layers of a container image, cut into spans. A start reads ${megabytes(read)} of ${megabytes(total)}.`
  const times = starts.map(({ name, seconds }) => `${name}: ${seconds.toFixed(2)} seconds`).join(', ')
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y + 20}" role="img" aria-label="${title} ${times}">
<style>
.card { fill: #fff; stroke: #d0d7de }
text { font: 15px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #424a53 }
.title { font-weight: 600; font-size: 18px; fill: #1f2328 }
.value { font-weight: 600; fill: #1f2328 }
.read { fill: #0b6884 }
.cold { fill: #d5dce3 }
.slow { fill: #b35900 }
@media (prefers-color-scheme: dark) {
.card { fill: #15191f; stroke: #3d444d }
text { fill: #b7bfc8 }
.title, .value { fill: #f0f3f6 }
.read { fill: #4fb2d2 }
.cold { fill: #363e48 }
.slow { fill: #e08a3c }
}
</style>
<rect class="card" x="0.5" y="0.5" width="${WIDTH - 1}" height="${y + 19}" rx="10"/>
${parts.join('\n')}
</svg>
`
}

const bytesOf = (spans, size) =>
  spans.reduce((sum, { start, read }, i) => sum + (read ? (spans[i + 1]?.start ?? size) - start : 0), 0)
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(0)} MB`
const round = (value) => Math.round(value * 10) / 10

const { values } = parseArgs({ options: { measure: { type: 'boolean' }, check: { type: 'boolean' } } })
if (values.measure) writeFileSync(DATA, `${JSON.stringify(await measure(), null, 1)}\n`)
const starts = startsOf(readFileSync(BENCHMARKS, 'utf8'))
const picture = draw(JSON.parse(readFileSync(DATA, 'utf8')), starts)
if (!values.check) writeFileSync(PICTURE, picture)
else if (readFileSync(PICTURE, 'utf8') !== picture)
  fail('docs/images/start.svg is out of date: run node scripts/start-picture.mjs')
for (const page of ['README.md', 'site/home.md']) {
  const text = readFileSync(fileURLToPath(new URL(`../${page}`, import.meta.url)), 'utf8')
  for (const { name, seconds } of starts)
    if (!text.includes(`${seconds.toFixed(2)} seconds`))
      fail(`${page} does not say ${seconds.toFixed(2)} seconds, which docs/benchmarks.md has for: ${name}`)
}

function fail(message) {
  console.error(message)
  process.exitCode = 1
}
