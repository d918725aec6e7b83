// Puts the program's own modules, and those of its threads, into a few files: Node takes half a millisecond for each module that it loads, and a
// command has some hundred. What it depends on stays outside, and is loaded by the commands that need it: so the package has to depend on it, too, or
// installers that keep packages apart would not find it (a test looks to that). Does nothing where nothing was compiled since.
import { readdirSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const PACKAGES = ['ztoc', 'oci', 'sociable']
const root = fileURLToPath(new URL('../../..', import.meta.url))
/** As deep as src/cli below the package, for `import.meta.url`. */
const outdir = `${root}/packages/sociable/dist/bin/cli`
const program = `${outdir}/sociable.js`

if (PACKAGES.some((name) => modified(`${root}/packages/${name}/dist/.tsbuildinfo`) > modified(program))) await bundle()

async function bundle() {
  const { dependencies } = JSON.parse(readFileSync(`${root}/packages/sociable/package.json`, 'utf8'))
  const external = Object.keys(dependencies).filter((dependency) => !dependency.startsWith('@sociable/'))
  const common = {
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.18',
    external,
    outdir,
    logLevel: 'warning',
    metafile: true,
    absWorkingDir: root,
  }
  const made = await Promise.all([
    build({
      ...common,
      entryPoints: { sociable: `${root}/packages/sociable/dist/src/cli/main.js` },
      splitting: true, // a command loads what it uses
      chunkNames: '[name]-[hash]',
    }),
    // Whole files: found by their names, or small programs of their own
    build({
      ...common,
      entryPoints: {
        'layer-worker': `${root}/packages/ztoc/dist/src/threads/layer-worker.js`,
        'zstd-worker': `${root}/packages/ztoc/dist/src/zstd/zstd-worker.js`,
        'gzip-worker': `${root}/packages/sociable/dist/src/recompress/gzip-worker.js`,
        'sociable-docker': `${root}/packages/sociable/dist/src/docker/docker.js`,
        'docker-soci': `${root}/packages/sociable/dist/src/docker/plugin.js`,
      },
    }),
  ])
  const files = new Set(
    made.flatMap(({ metafile }) => Object.keys(metafile.outputs).map((path) => path.replace(/^.*\//, ''))),
  )
  for (const file of readdirSync(outdir)) if (!files.has(file)) rmSync(`${outdir}/${file}`)
  const now = new Date()
  utimesSync(program, now, now)
}

function modified(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0
}
