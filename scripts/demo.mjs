// `npm run demo [-- --full --compare]`: builds what is missing, makes an image from files on this machine, pushes it to an embedded registry, converts it there,
// reads a file lazily, and plays the article's CDK app. `--full` adds the system's files to the image; `--compare` converts the image with the reference
// implementation, too. Exit status 1 if any check fails.
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { buildSoci, whyNot } from '../conformance/build.mjs'
import { build } from './build.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const cli = join(root, 'packages', 'sociable', 'dist', 'bin', 'cli', 'sociable.js')
const { full, compare } = parseArgs({ options: { full: { type: 'boolean' }, compare: { type: 'boolean' } } }).values
const folder = join(root, '.cache', full ? 'demo-full' : 'demo')
const [image, layouts, again, reference] = ['image', 'registry', 'again', 'reference'].map((name) => join(folder, name))
const SMALL_CHANGE = 200_000 // bytes: manifests, and the headers of some dozen requests
const REFERENCE_TOOL = 'AWS SOCI CLI v0.2' // what the reference calls itself: with it the digests must be equal

const color = process.stdout.isTTY && !process.env.NO_COLOR
const bold = (text) => (color ? `\x1b[1m${text}\x1b[0m` : text)
const heading = (text) => console.log(`\n${bold(text)}`)
const sizeText = (bytes) =>
  bytes < 1e5 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(bytes < 1e7 ? 2 : 1)} MB`
const seconds = (value) => `${value.toFixed(2)} s`

heading('1. Build')
console.log('Installing dependencies and building; about a minute the first time…')
build()
// After the build, which makes them
const { makeDemoImage, knownFile } = await import('./demo-image.mjs')
const { startDemoRegistry } = await import('./demo-registry.mjs')
const { demo: playCdkApp } = await import('./demo-cdk.mjs')
const { openImage } = await import('../packages/sociable/dist/src/index.js')

heading('2. Image: files from this machine, compressed into layers')
await makeDemoImage(image, {
  small: !full,
  onLayer: ({ name, files, unpacked, size }, reused) =>
    console.log(
      `${name}: ${files} files, ${sizeText(unpacked)} into ${sizeText(size)}${reused ? ' (from an earlier run)' : ''}`,
    ),
})

heading('3. Push to an embedded registry')
rmSync(layouts, { recursive: true, force: true })
mkdirSync(layouts, { recursive: true })
const registry = await startDemoRegistry(layouts)
const source = `${registry.host}/demo/app:1`
const converted = `${source}-soci` // what `convert` calls it unless told otherwise
process.stdout.write(await sociable('copy', `oci:${image}:latest`, source))
const imageBytes = registry.traffic().sent
console.log(`${sizeText(imageBytes)} pushed`)

heading('4. sociable convert: index every layer in one pass, in the registry')
const first = await convert()
check(first.result.indexed, `the image was not indexed: ${first.result.reason}`)
console.log(layerTable(first.result.images[0].layers))
console.log(`${converted}@${first.result.digest}`)
const { bytesIndexed, seconds: took } = first.result
console.log(`${sizeText(bytesIndexed)} of layers indexed in ${seconds(took)}, ${sizeText(bytesIndexed / took)}/s`)
console.log(describe(first.traffic))
const ztocBytes = first.result.images[0].layers.reduce((sum, { ztoc }) => sum + (ztoc?.size ?? 0), 0)
check(first.traffic.sent < ztocBytes + SMALL_CHANGE, 'more than zTOCs and manifests was sent: did layers move?')

heading('5. sociable convert again: nothing left to do')
const second = await convert()
console.log(`${seconds(second.result.seconds)}; ${describe(second.traffic)}`)
check(second.result.digest === first.result.digest, 'the second result has another digest')
check(second.traffic.writes === 0, `the second run sent ${second.traffic.writes} write requests`)
check(second.traffic.read < imageBytes / 100 + SMALL_CHANGE, 'the second run read more than manifests')

heading('6. Read one file lazily through the index')
const lazy = await readLazily(converted)

heading('7. sociable inspect')
process.stdout.write(await sociable('inspect', converted))

heading('8. AWS CDK: synthesize an app and play its deployment')
console.log('Running cdk synth twice, then the handler on Node.js 24; about half a minute…')
const deployment = await playCdkApp({ source, digest: first.result.digest, folder })
await registry.close()

if (compare) {
  heading('9. Reference implementation')
  await compareWithReference()
}

const layers = first.result.images[0].layers
heading('Summary: all checks passed')
console.log(
  [
    [
      'converted',
      `${layers.filter(({ ztoc }) => ztoc).length} of ${layers.length} layers, ${sizeText(bytesIndexed)}, in ${seconds(took)}`,
    ],
    ['sent to the registry', `${sizeText(first.traffic.sent)} for an image of ${sizeText(imageBytes)}`],
    ['second run', `${seconds(second.result.seconds)}, ${sizeText(second.traffic.read)} read, nothing written`],
    [
      'one file read lazily',
      `${sizeText(lazy.bytes)} fetched, ${((lazy.bytes / lazy.imageBytes) * 100).toFixed(1)} % of the image`,
    ],
    ['deployment played', deployment],
    ['left on this machine', `${folder} (npm run clean removes it)`],
  ]
    .map(([name, text]) => `${name.padEnd(22)}${text}`)
    .join('\n'),
)

async function convert() {
  registry.traffic()
  const result = JSON.parse(await sociable('convert', '--json', source))
  return { result, traffic: registry.traffic() }
}

async function readLazily(name) {
  const opened = await openImage(name)
  try {
    const content = await opened.read(knownFile.path)
    const original = await readFile(knownFile.original)
    const { bytes, requests, imageBytes } = opened.statistics
    console.log(`${knownFile.path}: ${content.length} bytes`)
    const share = ((bytes / imageBytes) * 100).toFixed(1)
    console.log(`fetched ${sizeText(bytes)} of ${sizeText(imageBytes)} (${share} %) in ${requests} requests`)
    check(original.equals(content), `${knownFile.path} differs from ${knownFile.original}`)
    console.log('its content equals the original on disk')
    return { bytes, imageBytes }
  } finally {
    await opened.close()
  }
}

async function compareWithReference() {
  const reason = whyNot()
  check(!reason, `--compare is not possible: ${reason}`)
  console.log('Building the soci CLI, then converting the image with both…')
  const soci = buildSoci()
  const timed = async (command, args) => {
    const started = performance.now()
    await run(command, args)
    return (performance.now() - started) / 1000
  }
  for (const output of [again, reference]) rmSync(output, { recursive: true, force: true })
  const options = ['--quiet', '--build-tool', REFERENCE_TOOL]
  const ours = await timed(process.execPath, [cli, 'convert', ...options, `oci:${image}:latest`, `oci:${again}:latest`])
  const convert = ['convert', '--standalone', '--format', 'oci-dir', '--all-platforms']
  const theirs = await timed(soci, [...convert, image, reference])
  const [ourDigest, theirDigest] = [again, reference].map(digestOf)
  console.log(`sociable convert           ${seconds(ours).padStart(8)}  ${ourDigest}`)
  console.log(`soci convert --standalone  ${seconds(theirs).padStart(8)}  ${theirDigest}`)
  check(ourDigest === theirDigest, 'the digests differ')
  console.log(`the same digest, ${(theirs / ours).toFixed(1)} times as fast`)
}

function layerTable(layers) {
  const number = (value) => (value === undefined ? '–' : String(value))
  const head = ['layer', 'size', 'unpacked', 'files', 'spans', 'zTOC', 'seconds', 'state']
  const rows = layers.map((layer) => [
    layer.digest.slice(7, 19),
    sizeText(layer.size),
    layer.uncompressedSize === undefined ? '–' : sizeText(layer.uncompressedSize),
    number(layer.files),
    number(layer.spans),
    layer.ztoc ? sizeText(layer.ztoc.size) : '–',
    layer.seconds === undefined ? '–' : layer.seconds.toFixed(2),
    layer.reason ? `${layer.state}: ${layer.reason}` : layer.state,
  ])
  const widths = head.map((_, at) => Math.max(...[head, ...rows].map((row) => row[at].length)))
  const text = (row) => row.map((cell, at) => (at === head.length - 1 ? cell : cell.padStart(widths[at]))).join('  ')
  return [bold(text(head)), ...rows.map(text)].join('\n')
}

function digestOf(layout) {
  return JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8')).manifests[0].digest
}

/** `41 requests; 96.2 MB read, 1.31 MB sent`. */
function describe({ requests, read, sent }) {
  return `${requests} requests; ${sizeText(read)} read from the registry, ${sizeText(sent)} sent to it`
}

/** Runs the command line. Its progress goes to the terminal. */
function sociable(...args) {
  return run(process.execPath, [cli, ...args], 'inherit')
}

/** Returns what a program prints. Asynchronous, because the program may use the registry in this process. */
async function run(command, args, stderr = 'pipe') {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', stderr] })
  let [output, problem] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    problem += text
  })
  const status = await new Promise((resolve) => {
    child.on('error', ({ message }) => {
      problem = message
      resolve(undefined)
    })
    child.on('close', resolve)
  })
  check(status === 0, `${command} ${args.join(' ')} failed${problem && `: ${problem.trim()}`}`)
  return output
}

function check(holds, message) {
  if (holds) return
  console.error(`\ndemo: ${message}`)
  process.exit(1)
}
