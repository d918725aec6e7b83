// Puts all that runs at deploy time into folders that ship in the package: nothing is downloaded or installed then. The libraries must be
// compiled. Same sources, same bytes: the assets' hashes are in the users' templates.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const handlers = 'packages/cdk-soci/handlers/src'

/** The folders, each with its entry points by the names that they get. */
const ASSETS = {
  handler: { index: `${handlers}/index.ts` },
}
/** Lambda's oldest Node that the constructs use. */
const TARGET = 'node22'

/** Writes `packages/cdk-soci/assets`. */
export async function bundle() {
  for (const [name, entryPoints] of Object.entries(ASSETS)) await bundleAsset(name, entryPoints)
}

async function bundleAsset(name, entryPoints) {
  const outdir = join(root, 'packages/cdk-soci/assets', name)
  const common = {
    absWorkingDir: root,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: TARGET,
    outdir,
    write: false,
    metafile: true,
    mainFields: ['module', 'main'], // the AWS SDK's ES modules, of which only what is used is taken
    conditions: ['module'],
    minifyWhitespace: true, // names stay, for the stack traces in users' logs
    minifySyntax: true,
    legalComments: 'none', // LICENSES has them
    logLevel: 'warning',
  }
  const results = await Promise.all([
    build({
      ...common,
      entryPoints,
      splitting: true, // the AWS SDK is loaded when the first request is on its way
      chunkNames: '[name]-[hash]',
      // CommonJS among the dependencies asks for Node's modules by `require`
      banner: {
        js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
      },
    }),
    // Found by its name, beside whatever starts it
    build({
      ...common,
      entryPoints: {
        'layer-worker': 'packages/ztoc/dist/src/threads/layer-worker.js',
        'zstd-worker': 'packages/ztoc/dist/src/zstd/zstd-worker.js',
      },
    }),
  ])
  const inputs = results.flatMap(({ metafile }) => Object.keys(metafile.inputs))
  const files = new Map(
    results.flatMap(({ outputFiles }) => outputFiles.map(({ path, text }) => [basename(path), text])),
  )
  files.set('LICENSES', licenses(inputs))
  files.set('package.json', '{"type":"module"}\n')
  replaceFolder(outdir, files)
}

/** What is there already stays untouched, and goes last where it is of no more use: tests of another process may be reading it. */
function replaceFolder(folder, files) {
  mkdirSync(folder, { recursive: true })
  for (const [name, text] of files) {
    const path = join(folder, name)
    if (existsSync(path) && readFileSync(path, 'utf8') === text) continue
    const temporary = join(folder, '..', `.${process.pid}-${name}`)
    writeFileSync(temporary, text)
    renameSync(temporary, path)
  }
  for (const name of readdirSync(folder))
    if (!files.has(name)) rmSync(join(folder, name), { recursive: true, force: true })
}

/** The licenses of the packages that are in the bundle. */
function licenses(inputs) {
  const folders = new Set(inputs.flatMap((input) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(input)?.[0] ?? []))
  const texts = new Map()
  for (const folder of [...folders].sort()) {
    const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
    const file = readdirSync(join(root, folder)).find((entry) => /^licen[cs]e/i.test(entry))
    const text = file === undefined ? `${license}\n` : readFileSync(join(root, folder, file), 'utf8')
    texts.set(text, [...(texts.get(text) ?? []), `${name} ${version} (${license})`])
  }
  texts.set(readFileSync(join(root, 'packages/ztoc/THIRD-PARTY-LICENSES'), 'utf8'), ['the zstd encoder'])
  return [...texts].map(([text, names]) => `${names.join('\n')}\n\n${text.trim()}\n`).join(`\n${'-'.repeat(78)}\n\n`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundle()
