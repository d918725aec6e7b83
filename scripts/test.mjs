// `npm test [-- filter…]`: builds, then runs every compiled test file (or those whose path contains a filter) under node's test runner.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import './build.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const filters = process.argv.slice(2)
const files = readdirSync(`${root}/packages`)
  .flatMap((name) => {
    const folder = `packages/${name}/dist/test`
    try {
      return readdirSync(`${root}/${folder}`, { recursive: true }).map((file) => `${folder}/${file}`)
    } catch {
      return [] // a package without tests
    }
  })
  .filter((file) => file.endsWith('.test.js') && (filters.length === 0 || filters.some((f) => file.includes(f))))
  .sort()
if (files.length === 0) throw new Error(`no test file matches ${filters.join(' ')}`)
const node = process.env.SOCIABLE_TEST_NODE ?? process.execPath
const { status } = spawnSync(node, ['--test', '--test-reporter=spec', ...files], { cwd: root, stdio: 'inherit' })
process.exitCode = status ?? 1
