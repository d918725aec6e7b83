// `npm test [-- filter…]`: builds, then runs every compiled test file (or those whose path contains a filter) under node's
// test runner. SOCIABLE_TEST_NODE names another node to run them with.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { build } from './build.mjs'

const TIMEOUT = 5 * 60_000 // ms for one file: a test that hangs fails instead

const root = fileURLToPath(new URL('..', import.meta.url))
const filters = process.argv.slice(2)
build()
const files = readdirSync(`${root}/packages`)
  .flatMap((name) => {
    const folder = `packages/${name}/dist/test`
    try {
      return readdirSync(`${root}/${folder}`, { recursive: true }).map(
        (file) => `${folder}/${file.replaceAll('\\', '/')}`,
      )
    } catch {
      return [] // a package without tests
    }
  })
  .filter((file) => file.endsWith('.test.js') && (filters.length === 0 || filters.some((f) => file.includes(f))))
  .sort()
if (files.length === 0) {
  console.error(`no test file matches ${filters.join(' ')}`)
  process.exit(1)
}
const node = process.env.SOCIABLE_TEST_NODE ?? process.execPath
const options = [
  '--test',
  '--test-reporter=spec',
  `--test-timeout=${TIMEOUT}`,
  `--test-concurrency=${availableParallelism()}`, // node's default leaves a core idle
]
const { status, error } = spawnSync(node, [...options, ...files], { cwd: root, stdio: 'inherit' })
if (error) console.error(`${node}: ${error.message}`)
process.exitCode = status ?? 1
