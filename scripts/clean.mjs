// `npm run clean`: removes what builds, tests, benchmarks and the demo leave in this folder. Dependencies (node_modules) stay.
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const FOLDERS = ['dist', 'generated', 'cdk.out']
const JSII = ['.jsii', '.jsii.tabl.json', '.npmignore', 'assets', 'lib', 'tsconfig.json'] // what jsii and the bundle write into the package

const removed = [
  '.cache',
  'bench/results',
  'site/dist',
  'site/generated',
  ...JSII.map((name) => `packages/cdk-soci/${name}`),
  ...outputs('packages'),
]
for (const path of removed) rmSync(join(root, path), { recursive: true, force: true })
console.log('Removed .cache and all build output. npm run build builds again.')

/** Output folders and incremental build files below a folder. */
function outputs(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory() && entry.name === 'node_modules') return []
    if (FOLDERS.includes(entry.name) || entry.name.endsWith('.tsbuildinfo')) return [path]
    return entry.isDirectory() ? outputs(path) : []
  })
}
