// The tests of synthesis again, with the oldest CDK that is supported: the one that deploy-time-build starts at, so that all who come from it can
// stay with theirs. It has no property injectors, no tag of an asset, no log group of a function and no ServiceTimeout.
import assert from 'node:assert/strict'
import { cpSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { PACKAGE, packages, run, temporaryFolder, WORKSPACE } from './workplace.js'

const OLDEST = { 'aws-cdk-lib': '2.38.0', constructs: '10.0.5' }

test('the oldest CDK is the one that the package says it needs', () => {
  const { peerDependencies } = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8'))
  assert.deepEqual(
    peerDependencies,
    Object.fromEntries(Object.entries(OLDEST).map(([name, version]) => [name, `^${version}`])),
  )
})

test('what is declared compiles with the oldest CDK, without skipLibCheck', (t) => {
  const folder = oldestFolder(t)
  if (folder === undefined) return
  writeFileSync(
    join(folder, 'app.mts'),
    "import { App } from 'aws-cdk-lib'\nimport * as soci from 'cdk-soci'\nvoid [App, soci]\n",
  )
  const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--types', 'node']
  const typeRoots = ['--typeRoots', join(WORKSPACE, 'node_modules/@types')]
  run('node', [join(WORKSPACE, 'node_modules/typescript/bin/tsc'), ...options, ...typeRoots, 'app.mts'], {
    cwd: folder,
  })
})

test('all tests of synthesis pass with the oldest CDK', (t) => {
  const folder = oldestFolder(t)
  if (folder === undefined) return
  for (const name of ['test/package.json', 'test/dist/synthesis', 'handlers/iam-actions.json']) copy(name, folder)
  const tests = readdirSync(join(folder, 'test/dist/synthesis')).filter((name) => name.endsWith('.test.js'))
  const said = run('node', ['--test', '--test-reporter=tap', ...tests.map((name) => `test/dist/synthesis/${name}`)], {
    cwd: folder,
  })
  assert.match(said, /^# fail 0$/m)
  const passed = Number(/^# pass (\d+)$/m.exec(said)?.[1])
  assert.ok(passed > tests.length, said)
})

/** A folder where our package is installed beside the oldest CDK. */
function oldestFolder(t: TestContext): string | undefined {
  const modules = packages(t, ...Object.entries(OLDEST).map(([name, version]) => `${name}@${version}`))
  if (modules === undefined) return undefined
  const folder = temporaryFolder(t)
  for (const name of ['lib', 'assets', 'package.json']) copy(name, join(folder, 'node_modules/cdk-soci'))
  for (const name of Object.keys(OLDEST)) symlinkSync(join(modules, name), join(folder, 'node_modules', name))
  return folder
}

function copy(name: string, folder: string): void {
  cpSync(join(PACKAGE, name), join(folder, name), { recursive: true })
}
