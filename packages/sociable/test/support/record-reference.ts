// Writes test/vectors/reference-images.json: what the reference makes of each image, by its `soci convert --standalone` (v2: the top's
// digest) and by its library (v1: each platform's index digest). `node conformance/build.mjs` builds both binaries, then:
// `node packages/sociable/dist/test/support/record-reference.js conformance/.cache/soci conformance/.cache/oracle`,
// with `--check` at its end to compare only.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { IMAGES, type ImageCase } from './images.js'
import { LayoutBuilder } from './layout.js'

const [soci, oracle] = process.argv.slice(2)
if (soci === undefined || oracle === undefined) throw new Error('which soci binary, which oracle?')
/** What stands in the file for each image. */
export interface ReferenceResult {
  /** The top's digest, or `refused: …`. */
  readonly converted: string
  /** By platform the digest of its v1 index, or `refused: …`. */
  readonly created: Readonly<Record<string, string>> | string
}

const folder = mkdtempSync(join(tmpdir(), 'sociable-reference-'))
const results: Record<string, ReferenceResult> = {}
for (const image of IMAGES) {
  const input = join(folder, 'in')
  const output = join(folder, 'out')
  const layout = new LayoutBuilder()
  image.build(layout)
  layout.write(input)
  const { status, stderr } = spawnSync(
    soci,
    ['convert', '--standalone', '--format', 'oci-dir', ...flags(image), input, output],
    {
      env: { ...process.env, TZ: 'UTC' },
      encoding: 'utf8',
    },
  )
  const converted = status === 0 ? digestIn(output) : `refused: ${lastLine(stderr)}`
  rmSync(output, { recursive: true, force: true })
  results[image.name] = { converted, created: createdBy(oracle, image, input, output) }
  for (const made of [input, output]) rmSync(made, { recursive: true, force: true })
}
rmSync(folder, { recursive: true })
const path = new URL('../../../test/vectors/reference-images.json', import.meta.url)
const text = `${JSON.stringify(results, null, 2)}\n`
if (process.argv[4] !== '--check') writeFileSync(path, text)
else if (readFileSync(path, 'utf8') !== text) throw new Error('the reference makes other images than the vectors say')

function flags({ options = {} }: ImageCase): string[] {
  const { platforms, spanSize, minLayerSize, prefetchFiles = [], optimizations = [] } = options
  return [
    ...(platforms?.flatMap((platform) => ['--platform', platform]) ?? ['--all-platforms']),
    ...(spanSize === undefined ? [] : ['--span-size', String(spanSize)]),
    ...(minLayerSize === undefined ? [] : ['--min-layer-size', String(minLayerSize)]),
    ...prefetchFiles.flatMap((path) => ['--prefetch-file', path]),
    ...optimizations.flatMap((name) => ['--optimizations', name]),
  ]
}

function digestIn(output: string): string {
  const index = JSON.parse(readFileSync(join(output, 'index.json'), 'utf8'))
  return index.manifests[0].digest
}

function lastLine(text: string): string {
  return text
    .trim()
    .split('\n')
    .at(-1)!
    .replaceAll(/\/\S*\/(soci-oci-|blobs)\S*/g, '…')
}

function createdBy(
  oracle: string,
  { options = {} }: ImageCase,
  layout: string,
  output: string,
): ReferenceResult['created'] {
  const { manifests } = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8'))
  if (manifests?.length !== 1) return 'refused: not one image'
  const request = {
    layout,
    target: manifests[0],
    output,
    spanSize: options.spanSize ?? 4 << 20,
    minLayerSize: options.minLayerSize ?? 10 << 20,
    buildTool: 'AWS SOCI CLI v0.2',
    platforms: options.platforms ?? [],
    optimizations: options.optimizations ?? [],
    prefetchPaths: (options.prefetchFiles ?? []).map((path) => path.trim()), // the command line trims
  }
  const { stdout } = spawnSync(oracle, ['create'], {
    input: `${JSON.stringify(request)}\n`,
    env: { ...process.env, TZ: 'UTC' },
    encoding: 'utf8',
  })
  const { indexes, error } = JSON.parse(stdout)
  if (error !== undefined) return `refused: ${lastLine(error)}`
  return Object.fromEntries(
    indexes.map(({ platform, index }: { platform: string; index: { digest: string } }) => [platform, index.digest]),
  )
}
