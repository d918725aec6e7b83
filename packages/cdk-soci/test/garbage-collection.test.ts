// `cdk gc` (aws-cdk 2.1148.1, garbage collection of ECR) deletes an image of the assets repository when none of its tags occurs in the text of a
// deployed template.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Stack } from 'aws-cdk-lib'
import { DockerImageAsset } from 'aws-cdk-lib/aws-ecr-assets'
import { SociIndexBuild, SociIndexV2Build } from 'cdk-soci'
import { IMAGE, newStack, resourcesOf } from './templates.js'
import { wholeApps } from './whole-apps.js'

const survives = (tags: readonly string[], template: string) => tags.some((tag) => template.includes(tag))

test('the image of an asset and the one with its index survive, whatever else names them', () => {
  const stack = newStack()
  const asset = new DockerImageAsset(stack, 'Image', { directory: IMAGE })
  const index = SociIndexV2Build.fromDockerImageAsset(stack, 'Index', asset, { spanSize: 1 << 20 })
  const template = JSON.stringify(resourcesOf(stack))
  const [tag] = template.match(new RegExp(`${asset.imageTag}-soci-[0-9a-f]{8}`)) ?? []
  assert.ok(tag !== undefined && survives([tag], template))
  assert.ok(survives([asset.imageTag], template))
  assert.ok(!survives([`${asset.imageTag}-soci`], template.replaceAll(tag, '')), 'the rule can say no')
  assert.ok(index.outputImageTag !== tag, 'what uses the attribute does not name the tag')
})

test('a v1 index survives by its tag only', () => {
  const stack = newStack()
  const asset = new DockerImageAsset(stack, 'Image', { directory: IMAGE })
  new SociIndexBuild(stack, 'Index', { repository: asset.repository, imageTag: asset.imageTag, indexTag: 'app-index' })
  const template = JSON.stringify(resourcesOf(stack))
  assert.ok(survives([asset.imageTag], template))
  assert.ok(survives(['app-index'], template))
  assert.ok(!survives([], template)) // without a tag: docs say so
})

test('every way of making an index during the deployment writes its tags out', () => {
  for (const [name, app] of wholeApps()) {
    if (/^(OnPush|Backfill)/.test(name)) continue // no image is part of their templates
    const stacks = app.node.findAll().filter((node): node is Stack => node instanceof Stack)
    const indexes = stacks.flatMap((stack) =>
      Object.values(resourcesOf(stack)).filter(({ Type }) => Type === 'Custom::SociIndex'),
    )
    assert.ok(indexes.length > 0, name)
    for (const { Properties } of indexes) {
      const { Format, InputTag, OutputTag } = Properties
      assert.equal(typeof InputTag, 'string', name)
      assert.equal(typeof OutputTag, Format === 'v2' ? 'string' : 'undefined', name)
    }
  }
})
