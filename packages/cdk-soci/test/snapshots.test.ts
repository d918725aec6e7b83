// Templates as they were: a change of one is a change of every stack that is deployed with it. SNAPSHOTS=update writes them anew.
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { App, Stack } from 'aws-cdk-lib'
import { Repository } from 'aws-cdk-lib/aws-ecr'
import { FargateTaskDefinition } from 'aws-cdk-lib/aws-ecs'
import { SociContainerImage, SociIndexV2Build } from 'cdk-soci'
import { type Resources, resourcesOf } from './templates.js'
import { wholeApps } from './whole-apps.js'
import { PACKAGE } from './workplace.js'

const SNAPSHOTS = join(PACKAGE, 'test', 'fixtures', 'templates')
const UPDATE = process.env.SNAPSHOTS === 'update'

test('templates are as they were', async (t) => {
  for (const [name, app] of wholeApps())
    await t.test(name, () => {
      const resources = withoutOthers(resourcesOf(app.node.findChild(name) as Stack))
      const file = join(SNAPSHOTS, `${name}.json`)
      if (UPDATE) {
        mkdirSync(SNAPSHOTS, { recursive: true })
        writeFileSync(file, `${JSON.stringify(resources, null, 2)}\n`)
      }
      assert.ok(existsSync(file), `${file} is missing: SNAPSHOTS=update writes it`)
      assert.deepEqual(resources, JSON.parse(readFileSync(file, 'utf8')))
    })
})

test('the same app gives the same template, byte by byte', () => {
  const [first, second] = [wholeApps(), wholeApps()]
  for (const [name, app] of first) {
    const other = second.get(name) as App
    assert.equal(
      JSON.stringify(resourcesOf(app.node.findChild(name) as Stack)),
      JSON.stringify(resourcesOf(other.node.findChild(name) as Stack)),
      name,
    )
  }
})

test('what else is in the stack does not change an index, nor does its place in the code', () => {
  const indexOf = (fill: (stack: Stack) => void): string => {
    const stack = new Stack(new App({ analyticsReporting: false }), 'Stack')
    fill(stack)
    const { Index } = Object.fromEntries(
      Object.entries(resourcesOf(stack))
        .filter(([id, { Type }]) => Type === 'Custom::SociIndex' && id.startsWith('OneIndex'))
        .map((entry) => ['Index', entry]),
    )
    return JSON.stringify(Index)
  }
  const add = (stack: Stack, id: string): void => {
    const repository = Repository.fromRepositoryName(stack, `${id}Repository`, 'app')
    new SociIndexV2Build(stack, id, { repository, inputImageTag: 'app' })
  }
  const alone = indexOf((stack) => add(stack, 'One'))
  assert.ok(alone.includes('ServiceToken'))
  assert.equal(
    indexOf((stack) => {
      add(stack, 'Two')
      const task = new FargateTaskDefinition(stack, 'Task')
      task.addContainer('app', { image: SociContainerImage.fromRegistry('docker.io/library/alpine:3') })
      add(stack, 'One')
    }),
    alone,
  )
})

/** Without what is not ours: a VPC's parts, and the hash of the handlers' bundle, which changes with every change of theirs. */
function withoutOthers(resources: Resources): unknown {
  const ours = Object.entries(resources).filter(([, { Type }]) => !/^AWS::EC2::(?!SecurityGroup)/.test(Type))
  return JSON.parse(JSON.stringify(Object.fromEntries(ours)).replaceAll(/\b[0-9a-f]{64}\.zip\b/g, 'ASSET.zip'))
}
