import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Stack } from 'aws-cdk-lib'
import * as ecs from 'aws-cdk-lib/aws-ecs'
import { LazyLoading, SociContainerImage } from 'cdk-soci'
import { IMAGE, notesOf } from './support.js'
import { ASSETS, imagesOf, indexesOf, newApp, newStack, only, resourcesOf, temporaryFile } from './templates.js'

const OFF = { 'cdk-soci:lazy': 'false' } // as `cdk -c cdk-soci:lazy=false` gives it

function addContainer(stack: Stack, image: ecs.ContainerImage): void {
  new ecs.FargateTaskDefinition(stack, 'Task').addContainer('web', { image })
}

/** Resources of a stack whose task has the image. */
function withImage(stack: Stack, image: ecs.ContainerImage) {
  addContainer(stack, image)
  return resourcesOf(stack)
}

const plain = (image: ecs.ContainerImage) => withImage(newStack(), image)

test('the context key leaves the whole template as it is without LazyLoading', () => {
  const app = newApp(OFF)
  LazyLoading.enable(app)
  const stack = newStack(app)
  const asset = ecs.ContainerImage.fromAsset(IMAGE)
  assert.deepEqual(withImage(stack, asset), plain(asset))
  assert.match(only(notesOf(stack)), /leaves the container "web" as it is: the context key cdk-soci:lazy is false/)
})

test('the option leaves the whole template as it is, and its scope only', () => {
  const app = newApp()
  LazyLoading.enable(app)
  const [off, on] = [newStack(app, 'Off'), newStack(app, 'On')]
  LazyLoading.enable(off, { lazy: false })
  const asset = ecs.ContainerImage.fromAsset(IMAGE)
  addContainer(on, asset)
  assert.deepEqual(Object.keys(indexesOf(withImage(off, asset))), [])
  assert.match(only(notesOf(off)), /as it is: the option lazy is false/)
  only(indexesOf(resourcesOf(on)))
})

test('an option that is given decides, rather than the context key', () => {
  const app = newApp(OFF)
  LazyLoading.enable(app, { lazy: true })
  only(indexesOf(withImage(newStack(app), ecs.ContainerImage.fromAsset(IMAGE))))
})

test('SociContainerImage gives the image as it is', (t) => {
  const tarball = temporaryFile(t, 'image.tar', '')
  for (const [soci, same] of [
    [SociContainerImage.fromAsset(IMAGE, { spanSize: 1 << 20 }), ecs.ContainerImage.fromAsset(IMAGE)],
    [SociContainerImage.fromTarball(tarball), ecs.ContainerImage.fromTarball(tarball)],
    [SociContainerImage.fromRegistry('nginx:1.27'), ecs.ContainerImage.fromRegistry('docker.io/library/nginx:1.27')],
  ] as const)
    assert.deepEqual(withImage(newStack(newApp(OFF)), soci), plain(same))
  const off = SociContainerImage.fromAsset(IMAGE, { lazy: false })
  assert.deepEqual(withImage(newStack(), off), plain(ecs.ContainerImage.fromAsset(IMAGE)))
})

test('a copy of an image in private ECR is made all the same, as the task may not pull that one', () => {
  const source = '222222222222.dkr.ecr.eu-west-1.amazonaws.com/app:1'
  const resources = withImage(newStack(newApp(OFF)), SociContainerImage.fromRegistry(source))
  assert.equal(only(indexesOf(resources)).Source, source)
})

test('containers with lazy: true and without the option share an index', () => {
  const stack = newStack()
  const task = new ecs.FargateTaskDefinition(stack, 'Task')
  task.addContainer('a', { image: SociContainerImage.fromAsset(IMAGE) })
  task.addContainer('b', { image: SociContainerImage.fromAsset(IMAGE, { lazy: true }) })
  const resources = resourcesOf(stack)
  const id = only(Object.keys(indexesOf(resources)))
  assert.deepEqual(imagesOf(resources), { a: `${ASSETS}@<${id}.imageDigest>`, b: `${ASSETS}@<${id}.imageDigest>` })
})

test('a value of the context key other than true and false is an error', () => {
  const stack = newStack(newApp({ 'cdk-soci:lazy': 'no' }))
  assert.throws(
    () => addContainer(stack, SociContainerImage.fromAsset(IMAGE)),
    /the context key cdk-soci:lazy is "no": set it to true or false/,
  )
})
