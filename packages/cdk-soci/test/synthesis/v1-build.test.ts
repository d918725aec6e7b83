import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Repository } from 'aws-cdk-lib/aws-ecr'
import { DockerImageAsset } from 'aws-cdk-lib/aws-ecr-assets'
import { SociIndexBuild } from 'cdk-soci'
import { IMAGE, idOf, indexesOf, newStack, only } from './support.js'

test('an index is added to the image of an asset', () => {
  const stack = newStack()
  const asset = new DockerImageAsset(stack, 'Image', { directory: IMAGE })
  const index = SociIndexBuild.fromDockerImageAsset(stack, 'Index', asset, { spanSize: 1048576 })
  const id = idOf(stack, 'Custom::SociIndex')
  const { Properties } = only(stack, 'Custom::SociIndex')
  assert.equal(Properties.Format, 'v1')
  assert.equal(Properties.InputTag, asset.assetHash)
  assert.equal(Properties.SpanSize, '1048576')
  assert.equal(Properties.OutputTag, undefined)
  for (const name of ['imageDigest', 'imageUri', 'indexed', 'indexReason'] as const)
    assert.deepEqual(stack.resolve(index[name]), { 'Fn::GetAtt': [id, name] })
})

test('the index gets a tag if it is to', () => {
  const stack = newStack()
  const repository = Repository.fromRepositoryName(stack, 'Repository', 'app')
  new SociIndexBuild(stack, 'Index', { repository, imageTag: 'app', indexTag: 'app-index' })
  assert.equal(indexesOf(stack)[0]?.Properties.IndexTag, 'app-index')
})

test('tags that cannot be are refused', () => {
  const stack = newStack()
  const repository = Repository.fromRepositoryName(stack, 'Repository', 'app')
  const building = (imageTag: string, indexTag: string) => () =>
    new SociIndexBuild(stack, `Index ${imageTag} ${indexTag}`, { repository, imageTag, indexTag })
  assert.throws(building('app', 'app'), /^Error: indexTag is "app", the tag of the image.*give another/)
  assert.throws(building('app', 'an index'), /^Error: indexTag is "an index", which is not a tag: use letters/)
  assert.throws(building('an app', 'index'), /^Error: imageTag is "an app", which is not a tag: use letters/)
})
