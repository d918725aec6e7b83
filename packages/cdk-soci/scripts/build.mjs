// Builds the package: the handlers' bundle, the constructs (jsii, on a Node that it supports), then their tests. Each step is left out where nothing
// that it reads is newer than what it made.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ensureNode } from '../../../scripts/tools.mjs'

/** The Node that jsii, the CDK's program and the constructs' tests run on: jsii has left 20. */
export const JSII_NODE = '24'

const root = fileURLToPath(new URL('../../..', import.meta.url)).replace(/[\\/]$/, '')
const folder = `${root}/packages/cdk-soci`

/** @throws Error where a step fails; what it printed says why */
export function build() {
  bundle()
  compile()
  run(process.execPath, [`${root}/node_modules/typescript/bin/tsc`, '-b', 'handlers', 'test'])
}

function bundle() {
  const script = `${folder}/scripts/bundle.mjs`
  if (existsSync(script)) return run(process.execPath, [script])
  const placeholder = `${folder}/assets/handler/index.js`
  if (existsSync(placeholder)) return
  mkdirSync(`${folder}/assets/handler`, { recursive: true })
  writeFileSync(placeholder, '// The handler is not bundled yet.\n')
}

/** jsii takes as long for one changed file as for all. */
function compile() {
  const made = `${folder}/.jsii`
  const inputs = [
    ...filesBelow(`${folder}/src`),
    `${folder}/package.json`,
    `${folder}/README.md`,
    `${root}/package-lock.json`,
  ]
  if (existsSync(made) && inputs.every((file) => statSync(file).mtimeMs <= statSync(made).mtimeMs)) return
  rmSync(`${folder}/lib/tsconfig.tsbuildinfo`, { force: true }) // after a failure it tells of files that were never written
  const jsii = `${root}/node_modules/jsii/bin/jsii`
  // The peers' oldest release cannot be what the constructs are compiled with: they use, where it is there, what came later.
  run(ensureNode(JSII_NODE), [jsii, '--silence-warnings', 'metadata/missing-dev-dependency'])
  for (const file of filesBelow(`${folder}/lib`)) {
    const source = file.replace('/lib/', '/src/').replace(/(\.d)?\.(ts|js)$/, '.ts')
    if (source.endsWith('.ts') && !existsSync(source)) rmSync(file)
  }
  rmSync(`${folder}/test/dist/.tsbuildinfo`, { force: true }) // tsc -b does not look at declarations that are in no project
  const now = new Date()
  utimesSync(made, now, now)
}

function filesBelow(path) {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`)
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: folder, stdio: ['inherit', 2, 2] })
  if (status !== 0)
    throw new Error(`cdk-soci: ${command} ${args.join(' ')} failed: ${error?.message ?? `status ${status}`}`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    build()
  } catch (error) {
    console.error(error.message)
    process.exitCode = 1
  }
}
