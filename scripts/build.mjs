// Builds what a fresh clone lacks: dependencies, the WebAssembly engine, then every package. Incremental: a second run is quick.
import { execFileSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const windows = process.platform === 'win32'
const run = (command, args) => execFileSync(command, args, { cwd: root, stdio: 'inherit', shell: windows })
const time = (file) => (existsSync(`${root}/${file}`) ? statSync(`${root}/${file}`).mtimeMs : 0)

if (time('node_modules/.package-lock.json') < time('package-lock.json')) run('npm', ['ci', '--no-audit', '--no-fund'])
run(process.execPath, ['packages/ztoc/scripts/build-wasm.mjs'])
run(process.execPath, ['node_modules/typescript/bin/tsc', '-b'])
