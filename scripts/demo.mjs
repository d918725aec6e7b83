// `npm run demo [-- --small]`: builds what is missing, makes a real image of what is on this machine, converts it, shows what
// became of it, reads a file of it lazily, and compares with the reference implementation where that can be had.
// Exit status 1 where anything does not match.
import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildSoci, whyNot } from '../conformance/build.mjs'
import { build } from './build.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const cli = join(root, 'packages', 'sociable', 'dist', 'bin', 'cli', 'sociable.js')
const small = process.argv.includes('--small')
const folder = join(root, '.cache', small ? 'demo-small' : 'demo')
const [image, converted, again, reference] = ['image', 'converted', 'again', 'reference'].map((name) =>
  join(folder, name),
)
const REFERENCE_TOOL = 'AWS SOCI CLI v0.2' // what the reference calls itself: with it the digests must be equal

const color = process.stdout.isTTY && !process.env.NO_COLOR
const bold = (text) => (color ? `\x1b[1m${text}\x1b[0m` : text)
const heading = (text) => console.log(`\n${bold(text)}`)
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 2 : 1)} MB`
const seconds = (value) => `${value.toFixed(2)} s`

heading('1. Build')
build()
console.log('built')
// After the build, which makes them
const { makeDemoImage, knownFile } = await import('./demo-image.mjs')
const { openImage } = await import('../packages/sociable/dist/src/index.js')

heading('2. An image, from what is on this machine')
await makeDemoImage(image, {
  small,
  onLayer: ({ name, files, unpacked, size }, reused) =>
    console.log(
      `${name}: ${files} files, ${megabytes(unpacked)} into ${megabytes(size)}${reused ? ', as before' : ''}`,
    ),
})

heading('3. sociable convert: index every layer, in one pass')
rmSync(converted, { recursive: true, force: true })
const result = JSON.parse(sociable('convert', '--json', `oci:${image}:latest`, `oci:${converted}:latest`))
check(result.indexed, `the image was not indexed: ${result.reason}`)
console.log(layerTable(result.images[0].layers))
console.log(`${result.destination}@${result.digest}`)
const rate = megabytes(result.bytesIndexed / result.seconds)
console.log(`${megabytes(result.bytesIndexed)} of layers indexed in ${seconds(result.seconds)}, ${rate}/s`)

heading('4. One file, read lazily through the index')
await readLazily(`oci:${converted}:latest`)

heading('5. sociable inspect')
process.stdout.write(sociable('inspect', `oci:${converted}:latest`))

heading('6. The reference implementation')
compareWithReference()
console.log(`\n${bold('All as it should be.')} The images are in ${folder}`)

async function readLazily(name) {
  const opened = await openImage(name)
  try {
    const content = await opened.read(knownFile.path)
    const original = await readFile(knownFile.original)
    const { bytes, requests, imageBytes } = opened.statistics
    console.log(`${knownFile.path}: ${content.length} bytes`)
    const share = ((bytes / imageBytes) * 100).toFixed(1)
    console.log(`fetched ${megabytes(bytes)} of ${megabytes(imageBytes)} (${share} %) in ${requests} requests`)
    check(original.equals(content), `${knownFile.path} differs from ${knownFile.original}`)
    console.log('its content is that of the original on disk')
  } finally {
    await opened.close()
  }
}

function compareWithReference() {
  const reason = whyNot()
  if (reason) return console.log(`Comparison skipped: ${reason}`)
  const soci = buildSoci()
  const timed = (command, args) => {
    const started = performance.now()
    run(command, args)
    return (performance.now() - started) / 1000
  }
  for (const output of [again, reference]) rmSync(output, { recursive: true, force: true })
  const options = ['--quiet', '--build-tool', REFERENCE_TOOL]
  const ours = timed(process.execPath, [cli, 'convert', ...options, `oci:${image}:latest`, `oci:${again}:latest`])
  const convert = ['convert', '--standalone', '--format', 'oci-dir', '--all-platforms']
  const theirs = timed(soci, [...convert, image, reference])
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
    megabytes(layer.size),
    layer.uncompressedSize === undefined ? '–' : megabytes(layer.uncompressedSize),
    number(layer.files),
    number(layer.spans),
    layer.ztoc ? megabytes(layer.ztoc.size) : '–',
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

/** Our command line; its progress goes to the terminal. */
function sociable(...args) {
  return run(process.execPath, [cli, ...args], 'inherit')
}

function run(command, args, stderr = 'pipe') {
  const stdio = ['ignore', 'pipe', stderr]
  const child = spawnSync(command, args, { encoding: 'utf8', stdio, maxBuffer: 64 << 20 })
  const problem = child.error?.message ?? child.stderr?.trim() ?? ''
  check(child.status === 0, `${command} ${args.join(' ')} failed${problem && `: ${problem}`}`)
  return child.stdout
}

function check(holds, message) {
  if (holds) return
  console.error(`\ndemo: ${message}`)
  process.exit(1)
}
