// Builds what a fresh clone lacks: dependencies, the WebAssembly engine, then every package, the program and the CDK constructs. Incremental: a second run is quick.
import { spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Installs and builds. Ends the process where a step fails: what the step printed says why. */
export function build() {
  if (modified('node_modules/.package-lock.json') < modified('package-lock.json'))
    run('npm', ['ci', '--no-audit', '--no-fund'], { shell: process.platform === 'win32' }) // npm is a script there
  run(process.execPath, ['packages/ztoc/scripts/build-wasm.mjs'])
  run(process.execPath, ['packages/sociable/scripts/page.mjs'])
  run(process.execPath, ['node_modules/typescript/bin/tsc', '-b'])
  run(process.execPath, ['packages/sociable/scripts/bundle.mjs'])
  run(process.execPath, ['packages/cdk-soci/scripts/build.mjs'])
}

function run(command, args, options) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['inherit', 2, 2], ...options })
  if (status === 0) return
  console.error(`build: ${command} ${args.join(' ')} failed: ${error?.message ?? `status ${status}`}`)
  process.exit(1)
}

function modified(file) {
  return existsSync(`${root}/${file}`) ? statSync(`${root}/${file}`).mtimeMs : 0
}

if (process.argv[1] === fileURLToPath(import.meta.url)) build()
