// `npm run demo [-- --small]`: builds what is missing, makes a real image of what is on this machine, pushes it to a registry of this project's own and
// converts it there, shows what that moved and what became of it, reads a file of it lazily, and compares with the reference implementation where that can
// be had. Exit status 1 where anything does not match.
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildSoci, whyNot } from '../conformance/build.mjs'
import { build } from './build.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const cli = join(root, 'packages', 'sociable', 'dist', 'bin', 'cli', 'sociable.js')
const small = process.argv.includes('--small')
const folder = join(root, '.cache', small ? 'demo-small' : 'demo')
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
build()
console.log('built')
// After the build, which makes them
const { makeDemoImage, knownFile } = await import('./demo-image.mjs')
const { startDemoRegistry } = await import('./demo-registry.mjs')
const { openImage } = await import('../packages/sociable/dist/src/index.js')

heading('2. An image, from what is on this machine')
await makeDemoImage(image, {
  small,
  onLayer: ({ name, files, unpacked, size }, reused) =>
    console.log(`${name}: ${files} files, ${sizeText(unpacked)} into ${sizeText(size)}${reused ? ', as before' : ''}`),
})

heading('3. A registry, and the image pushed to it')
rmSync(layouts, { recursive: true, force: true })
mkdirSync(layouts, { recursive: true })
const registry = await startDemoRegistry(layouts)
const source = `${registry.host}/demo/app:1`
const converted = `${source}-soci` // what `convert` calls it unless told otherwise
process.stdout.write(await sociable('copy', `oci:${image}:latest`, source))
const imageBytes = registry.traffic().sent
console.log(`${sizeText(imageBytes)} pushed`)

heading('4. sociable convert: where the image is, every layer in one pass')
const first = await convert()
check(first.result.indexed, `the image was not indexed: ${first.result.reason}`)
console.log(layerTable(first.result.images[0].layers))
console.log(`${converted}@${first.result.digest}`)
const { bytesIndexed, seconds: took } = first.result
console.log(`${sizeText(bytesIndexed)} of layers indexed in ${seconds(took)}, ${sizeText(bytesIndexed / took)}/s`)
console.log(describe(first.traffic))
const ztocBytes = first.result.images[0].layers.reduce((sum, { ztoc }) => sum + (ztoc?.size ?? 0), 0)
check(first.traffic.sent < ztocBytes + SMALL_CHANGE, 'more was sent than zTOCs and manifests: are layers among it?')

heading('5. Again: nothing is left to do')
const second = await convert()
console.log(`${seconds(second.result.seconds)}; ${describe(second.traffic)}`)
check(second.result.digest === first.result.digest, 'the second result has another digest')
check(second.traffic.writes === 0, `the second run sent ${second.traffic.writes} requests that change something`)
check(second.traffic.read < imageBytes / 100 + SMALL_CHANGE, 'the second run read more than manifests')

heading('6. One file, read lazily through the index')
await readLazily(converted)

heading('7. sociable inspect')
process.stdout.write(await sociable('inspect', converted))

heading('8. The reference implementation')
await compareWithReference()

// What builds on all that is in a file of its own: it exports `demo(context)`, gets the registry's address and the images' names, and throws where
// something is not as it should be.
const cdk = new URL('demo-cdk.mjs', import.meta.url)
if (existsSync(cdk)) {
  heading('9. AWS CDK')
  const { demo } = await import(cdk.href)
  await demo({ registry: registry.host, source, converted, digest: first.result.digest, folder, small })
}
await registry.close()
console.log(`\n${bold('All as it should be.')} The images are in ${folder}`)

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
    console.log('its content is that of the original on disk')
  } finally {
    await opened.close()
  }
}

async function compareWithReference() {
  const reason = whyNot()
  if (reason) return console.log(`Comparison skipped: ${reason}`)
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

/** Our command line; its progress goes to the terminal. */
function sociable(...args) {
  return run(process.execPath, [cli, ...args], 'inherit')
}

/** What a program prints. Not synchronously: it may speak to the registry in this process. */
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
