// `npm test [-- filter…]`: builds, then runs every compiled test file (or those whose path contains a filter) under node's
// test runner. SOCIABLE_TEST_NODE names another node to run them with, without those of cdk-soci: the constructs keep to one that the CDK's tools
// support, the functions to Lambda's.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { JSII_NODE } from '../packages/cdk-soci/scripts/build.mjs'
import { build } from './build.mjs'
import { ensureNode } from './tools.mjs'

const TIMEOUT = 5 * 60_000 // ms for one file: a test that hangs fails instead

const root = fileURLToPath(new URL('..', import.meta.url))
const filters = process.argv.slice(2)
const otherNode = process.env.SOCIABLE_TEST_NODE
build()
const packages = readdirSync(`${root}/packages`).map((name) => `packages/${name}/dist/test`)
const handlers = otherNode === undefined ? ['packages/cdk-soci/handlers/dist'] : []
const files = testsBelow([...packages, ...handlers])
const constructs = otherNode === undefined ? testsBelow(['packages/cdk-soci/test/dist']) : []
if (files.length + constructs.length === 0) {
  console.error(`no test file matches ${filters.join(' ')}`)
  process.exit(1)
}
if (files.length > 0) run(otherNode ?? process.execPath, files)
if (constructs.length > 0) run(ensureNode(JSII_NODE), constructs, judged())

/** Where JUDGED names a folder, all templates that are made go there, for `packages/cdk-soci/scripts/judge.mjs`. */
function judged() {
  if (process.env.JUDGED === undefined) return {}
  mkdirSync(process.env.JUDGED, { recursive: true })
  return { NODE_OPTIONS: `--import ${new URL('../packages/cdk-soci/test/dist/judged.js', import.meta.url)}` }
}

function testsBelow(folders) {
  return folders
    .flatMap((folder) => {
      try {
        const names = readdirSync(`${root}/${folder}`, { recursive: true })
        return names.map((file) => `${folder}/${file.replaceAll('\\', '/')}`)
      } catch {
        return [] // a package without tests
      }
    })
    .filter((file) => file.endsWith('.test.js') && (filters.length === 0 || filters.some((f) => file.includes(f))))
    .sort()
}

function run(node, tests, env = {}) {
  const options = [
    '--test',
    '--test-reporter=spec',
    `--test-timeout=${TIMEOUT}`,
    `--test-concurrency=${availableParallelism()}`, // node's default leaves a core idle
  ]
  const { status, error } = spawnSync(node, [...options, ...tests], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  })
  if (error) console.error(`${node}: ${error.message}`)
  if (status !== 0) process.exitCode = status ?? 1
}
