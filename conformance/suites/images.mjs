// Whole images: `soci convert --standalone` against `sociable convert`, and the reference's v1 indexes against `sociable create`. The images
// that packages/sociable tests with go through both command lines; random ones through our library.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { convert, createIndex } from '../../packages/sociable/dist/src/index.js'
import { IMAGES } from '../../packages/sociable/dist/test/support/images.js'
import { LayoutBuilder } from '../../packages/sociable/dist/test/support/layout.js'
import { fuzzImage } from '../lib/image-fuzz.mjs'
import { ask } from '../lib/oracle.mjs'
import { cases } from './image-cases.mjs'

export const name = 'whole images'

const main = fileURLToPath(new URL('../../packages/sociable/dist/src/cli/main.js', import.meta.url))
const buildTool = 'AWS SOCI CLI v0.2'
const execute = promisify(execFile)

export async function run(context) {
  await inTwo([...IMAGES, ...cases], (image, i) => throughCommands(image, join(context.folder, `case${i}`), context))
  await random(context)
}

/** One image through both command lines. */
async function throughCommands(image, folder, { soci, check, log }) {
  const { name: own, options = {}, differs, build, write, archive, expect } = image
  mkdirSync(folder)
  const input = join(folder, 'in')
  if (write) write(input, { soci })
  else {
    const layout = new LayoutBuilder()
    build(layout)
    layout.write(input)
  }
  for (const [file, content] of Object.entries(options.files ?? {})) writeFileSync(join(folder, file), content)
  if (archive) await execute('tar', ['-cf', `${input}.tar`, '-C', input, '.'])
  const theirs = await convertByReference(
    soci,
    archive ? `${input}.tar` : input,
    join(folder, 'theirs'),
    flags(options),
  )
  const source = archive ? `${archive}:${input}.tar` : `oci:${input}`
  const ours = await convertByCommand(source, join(folder, 'ours'), flags(options))
  let problem = compare(theirs, ours, join(folder, 'ours'))
  if (differs) {
    const reference = theirs.digest ?? `refuses: ${theirs.error}`
    log(`differs on purpose: ${own}: ${differs} (the reference ${reference}; ours ${ours.digest})`)
    problem = ours.digest !== undefined && ours.digest !== theirs.digest ? undefined : say(theirs, ours)
    if (expect && !problem)
      problem = expect(JSON.parse(readFileSync(join(folder, 'ours', 'blobs', 'sha256', ours.digest.slice(7)))))
  }
  check(own, problem)
  rmSync(folder, { recursive: true })
}

/** Random images: v2 by `soci` and our library, v1 by the oracle and our library. */
async function random({ oracle, soci, folder, quick, seed, count, check, log }) {
  const images = Array.from({ length: Math.ceil(count / (quick ? 10 : 20)) }, (_, i) => {
    const own = join(folder, String(seed + i))
    mkdirSync(own)
    return { seed: seed + i, folder: own, input: join(own, 'in'), options: fuzzImage(seed + i, join(own, 'in')) }
  })
  const created = await createdByReference(oracle, images)
  const tally = {}
  await inTwo(images, async ({ seed: own, folder: around, input, options }, i) => {
    const theirs = await convertByReference(soci, input, join(around, 'theirs'), flags(options))
    const output = join(around, 'ours')
    const ours = await attempt(() => convert(`oci:${input}`, `oci:${output}:v`, { ...options, buildTool }))
    const { kind, problem } = judgeRandom(theirs, ours, output)
    tally[kind] = (tally[kind] ?? 0) + 1
    check(`image of seed ${own}`, problem)
    if (created[i]) check(`v1 indexes of the image of seed ${own}`, await compareCreated(created[i], input, options))
    rmSync(around, { recursive: true })
  })
  const kinds = Object.entries(tally).map(([kind, n]) => `${n} ${kind}`)
  log(`${images.length} random images from seed ${seed}: ${kinds.join(', ')}`)
}

/** Two at once: one waits for a process while the other is at work. */
async function inTwo(items, work) {
  let next = 0
  const worker = async () => {
    while (next < items.length) {
      const i = next++
      await work(items[i], i)
    }
  }
  await Promise.all([worker(), worker()])
}

/** Flags that both commands understand alike. */
function flags({ platforms, spanSize, minLayerSize, prefetchFiles = [], optimizations = [], extra }) {
  return [
    ...(platforms?.length > 0
      ? platforms.flatMap((platform) => ['--platform', platform])
      : extra
        ? []
        : ['--all-platforms']),
    ...(spanSize === undefined ? [] : ['--span-size', String(spanSize)]),
    ...(minLayerSize === undefined ? [] : ['--min-layer-size', String(minLayerSize)]),
    ...prefetchFiles.flatMap((path) => ['--prefetch-file', path]),
    ...optimizations.flatMap((optimization) => ['--optimizations', optimization]),
    ...(extra ?? []),
  ]
}

async function convertByReference(soci, input, output, options) {
  const args = ['convert', '--standalone', '--format', 'oci-dir', ...options, input, output]
  const { error, stderr } = await command(soci, args, dirname(output))
  if (error) return { error: stderr.trim().split('\n').at(-1).slice(0, 300) }
  return { digest: JSON.parse(readFileSync(join(output, 'index.json'))).manifests[0].digest }
}

async function convertByCommand(source, output, options) {
  const args = [main, 'convert', source, `oci:${output}`, '--build-tool', buildTool, ...options]
  const { error, stdout, stderr } = await command(process.execPath, args, dirname(output))
  if (error) return { error: stderr.trim().slice(0, 300), crashed: error.code !== 1 && error.code !== 2 }
  return { digest: /@(sha256:[0-9a-f]{64})$/.exec(stdout.trim())?.[1], said: stderr }
}

async function command(path, args, cwd) {
  try {
    return await execute(path, args, {
      cwd,
      env: { ...process.env, TZ: 'UTC', NO_COLOR: '1' },
      maxBuffer: 1 << 26,
      timeout: 300_000,
    })
  } catch (error) {
    return { error, stdout: error.stdout ?? '', stderr: error.stderr ?? String(error) }
  }
}

function compare(theirs, ours, output) {
  if (ours.crashed) return `our command crashed: ${ours.error}`
  if (theirs.digest !== ours.digest) return say(theirs, ours)
  return theirs.digest && damaged(output, ours.digest)
}

function say(theirs, ours) {
  return `the reference: ${theirs.digest ?? theirs.error}; ours: ${ours.digest ?? ours.error}`
}

/** What is absent or wrong of all that is reachable in a layout; undefined where nothing is. Entries that the source lacks may stay absent. */
function damaged(layout, top) {
  const queue = [{ digest: top, mediaType: 'index' }]
  const seen = new Set()
  for (const { digest, size, mediaType } of queue) {
    if (seen.has(digest)) continue
    seen.add(digest)
    let content
    try {
      content = readFileSync(join(layout, 'blobs', 'sha256', digest.slice(7)))
    } catch {
      return `${digest} is not in the layout`
    }
    if (createHash('sha256').update(content).digest('hex') !== digest.slice(7)) return `${digest} has another digest`
    if (size !== undefined && size !== content.length)
      return `${digest} has ${content.length} bytes, its descriptor says ${size}`
    if (!/index|manifest/.test(mediaType) || content[0] !== 0x7b) continue
    const { manifests = [], config, layers = [] } = JSON.parse(content)
    queue.push(...(manifests ?? []), ...(config ? [config] : []), ...(layers ?? []).filter(({ urls }) => !urls))
  }
  return undefined
}

async function attempt(action) {
  try {
    return { result: await action() }
  } catch (error) {
    return {
      error: `${error.name}: ${error.message}`,
      crashed: !/^(Image|Manifest|Store|LayerFormat)Error$/.test(error.name),
    }
  }
}

/** Random images may hit what differs on purpose: nothing to index, entries of unknown types. */
function judgeRandom(theirs, ours, output) {
  if (ours.crashed) return { kind: 'crashed', problem: ours.error }
  const digest = ours.result?.digest
  if (theirs.error?.includes('no ztocs created')) {
    const problem =
      ours.result && !ours.result.indexed
        ? damaged(output, digest)
        : `nothing can be indexed; ours: ${digest ?? ours.error}`
    return { kind: 'without anything to index', problem }
  }
  // With all platforms the reference tries to index that entry as well; ours leaves it as it is.
  if (theirs.error?.includes('unexpected media type application/x.unknown'))
    return { kind: 'with an entry of an unknown type', problem: digest && damaged(output, digest) }
  if (theirs.error)
    return { kind: 'refused', problem: ours.error ? undefined : `the reference: ${theirs.error}; ours: ${digest}` }
  return { kind: 'converted', problem: compare(theirs, { digest, error: ours.error }, output) }
}

/** The oracle's answers, one an image; undefined for a layout of several entries, and for nested indexes, which v1 would take as subjects. */
async function createdByReference(oracle, images) {
  const questions = images.map(({ input, folder, options }) => {
    const { manifests } = JSON.parse(readFileSync(join(input, 'index.json'), 'utf8'))
    const { spanSize, minLayerSize, platforms = [], optimizations, prefetchFiles: prefetchPaths } = options
    const rest = { spanSize, minLayerSize, platforms, optimizations, prefetchPaths, buildTool }
    if (manifests.length > 1 || hasNestedIndex(input, manifests[0])) return undefined
    return { ...rest, layout: input, target: manifests[0], output: join(folder, 'v1') }
  })
  const answers = await ask(oracle, 'create', questions.filter(Boolean))
  return questions.map((question) => question && answers.shift())
}

function hasNestedIndex(layout, { digest }) {
  const top = JSON.parse(readFileSync(join(layout, 'blobs', 'sha256', digest.slice(7)), 'utf8'))
  return (top.manifests ?? top.MANIFESTS ?? []).some(({ mediaType }) => /index|list/.test(mediaType))
}

/** What differs between the reference's v1 indexes and ours. */
async function compareCreated({ indexes, error, verdict }, layout, options) {
  if (verdict === 'crashes') return `the oracle died: ${error}`
  const ours = await attempt(() => createIndex(`oci:${layout}`, { ...options, buildTool }))
  if (ours.crashed) return ours.error
  // Ours makes no index where a platform asked for is absent; the reference does those before it, and for a single image any.
  if (ours.error && options.platforms?.length > 0) return undefined
  const made = ours.result?.images.map(({ index }) => index?.digest) ?? []
  const missing = indexes.find(({ index }) => !made.includes(index.digest))
  if (missing)
    return `the reference's index ${missing.index.digest} for ${missing.platform} is not among ours: ${made.join(' ')} ${ours.error ?? ''}`
  // The reference stops at the first platform that has nothing to index; ours makes the others' indexes.
  const distinct = new Set(indexes.map(({ index }) => index.digest)) // a manifest that is listed twice
  if (error === undefined && new Set(made.filter(Boolean)).size !== distinct.size)
    return `the reference made ${distinct.size} indexes, ours ${made.length}`
  return undefined
}
