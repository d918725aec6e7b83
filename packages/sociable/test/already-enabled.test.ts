// A source that is SOCI-enabled already, with and without a destination of its own.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { convert, copyImage, verify } from '../src/index.js'
import { noise as bytes, makeLayout, temporaryFolder } from './cli/layout.js'
import { run } from './cli/run.js'
import { TestFolder } from './support/folder.js'
import { startRegistry, writes } from './support/registries.js'
import { SMALL, twoPlatforms } from './support/samples.js'

const folder = new TestFolder()
const layout = () => `oci:${folder.layout(twoPlatforms)}`

test('a SOCI-enabled source in a registry stays as it is: nothing is sent, no layer is read', async (t) => {
  const registry = (await startRegistry(t, 'our own'))!
  const image = `${registry.host}/app:1`
  await copyImage(`${layout()}:app`, image)
  const first = await convert(image, undefined, SMALL)
  registry.seen()
  const again = await convert(`${image}-soci`, undefined, SMALL)
  assert.deepEqual([registry.blobsRead(), writes(registry.seen())], [[], []])
  assert.equal(again.alreadyEnabled, true)
  assert.deepEqual([again.digest, again.destination, again.indexed], [first.digest, `${image}-soci`, true])
  assert.deepEqual(
    again.images.map(({ name, index }) => [name, index?.digest]),
    first.images.map(({ name, index }) => [name, index?.digest]),
  )
  assert.deepEqual(
    again.images.flatMap(({ layers }) => layers.map(({ ztoc }) => ztoc?.digest)),
    first.images.flatMap(({ layers }) => layers.map(({ ztoc }) => ztoc?.digest)),
  )
  const second = await convert(image, undefined, SMALL)
  assert.deepEqual(
    [second.alreadyEnabled, second.digest],
    [undefined, first.digest],
    'the second run of a source that is not',
  )
})

test('with a destination, with force, and for a platform without an index it is converted', async () => {
  const from = `${layout()}:app`
  const enabled = await convert(from, undefined, { ...SMALL, platforms: ['linux/amd64'] })
  assert.equal(
    (await convert(enabled.destination, undefined, { ...SMALL, platforms: ['linux/amd64'] })).alreadyEnabled,
    true,
  )
  const arm = await convert(enabled.destination, undefined, SMALL)
  assert.equal(arm.alreadyEnabled, undefined)
  const elsewhere = await convert(arm.destination, `oci:${folder.fresh()}:there`, SMALL)
  assert.deepEqual([elsewhere.alreadyEnabled, elsewhere.digest], [undefined, arm.digest])
  const inPlace = await convert(arm.destination, arm.destination, { ...SMALL, spanSize: 3000 })
  assert.equal(inPlace.alreadyEnabled, undefined)
  const forced = await convert(arm.destination, undefined, { ...SMALL, force: true })
  assert.match(forced.destination, /-soci-soci-soci$/)
  assert.deepEqual((await verify(forced.destination)).findings, [])
})

test('the program says so, names the image and exits with 0; a layout stays byte for byte', async (t) => {
  const cwd = await temporaryFolder(t)
  const made = await makeLayout(`${cwd}/image`)
  await made.add('app', [{ 'bin/app': bytes(50_000) }])
  const small = ['--min-layer-size', '0']
  const first = await run(['convert', 'oci:image:app', ...small], { cwd })
  const index = readFileSync(`${cwd}/image/index.json`)
  const again = await run(['convert', 'oci:image:app-soci', ...small], { cwd })
  assert.deepEqual([again.status, again.out], [0, first.out])
  assert.equal(
    again.err,
    'oci:image:app-soci is SOCI-enabled already: nothing was changed. --force converts it again\n',
  )
  assert.deepEqual(readFileSync(`${cwd}/image/index.json`), index)
  const forced = await run(['convert', 'oci:image:app-soci', '--force', ...small], { cwd })
  assert.match(forced.out, /^oci:image:app-soci-soci@/)
})
