// The tests of synthesis again, with the oldest CDK that is supported: the one that deploy-time-build starts at, so that all who come from it can
// stay with theirs. It has no property injectors, no tag of an asset, no log group of a function and no ServiceTimeout.
import assert from 'node:assert/strict'
import { cpSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { PACKAGE, packages, run, temporaryFolder } from './workplace.js'

const OLDEST = { 'aws-cdk-lib': '2.38.0', constructs: '10.0.5' }

test('the oldest CDK is the one that the package says it needs', () => {
  const { peerDependencies } = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8'))
  assert.deepEqual(
    peerDependencies,
    Object.fromEntries(Object.entries(OLDEST).map(([name, version]) => [name, `^${version}`])),
  )
})

test('all tests of synthesis pass with the oldest CDK', (t) => {
  const names = Object.keys(OLDEST)
  const modules = packages(t, ...Object.entries(OLDEST).map(([name, version]) => `${name}@${version}`))
  if (modules === undefined) return
  const folder = temporaryFolder(t)
  const copy = (from: string, to: string): void => cpSync(join(PACKAGE, from), join(folder, to), { recursive: true })
  for (const name of ['lib', 'assets', 'package.json']) copy(name, `node_modules/cdk-soci/${name}`)
  for (const name of names) symlinkSync(join(modules, name), join(folder, 'node_modules', name))
  for (const name of ['test/package.json', 'test/dist/synthesis', 'handlers/iam-actions.json']) copy(name, name)

  const tests = readdirSync(join(folder, 'test/dist/synthesis')).filter((name) => name.endsWith('.test.js'))
  const said = run('node', ['--test', '--test-reporter=tap', ...tests.map((name) => `test/dist/synthesis/${name}`)], {
    cwd: folder,
  })
  assert.match(said, /^# fail 0$/m)
  const passed = Number(/^# pass (\d+)$/m.exec(said)?.[1])
  assert.ok(passed > tests.length, said)
})
