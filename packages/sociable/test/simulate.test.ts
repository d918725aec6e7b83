// Predictions beside what reading the same files through the index really fetches.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { convert, inspect, openImage, simulate } from '../src/index.js'
import { makeLayout, noise, temporaryFolder } from './cli/layout.js'
import { run } from './cli/run.js'

const MEBIBYTE = 1 << 20
/** Read as a whole, in part, and not at all. */
const CONTENTS = {
  'app/config': 'small',
  'app/library': noise(9 * MEBIBYTE, 1),
  'app/never': noise(12 * MEBIBYTE, 2),
  'app/program': noise(2 * MEBIBYTE, 3),
}
const PROFILE = {
  version: 1,
  files: [
    { path: '/app/config' },
    { path: '/app/program' },
    { path: '/app/library', ranges: [[5 * MEBIBYTE, 5 * MEBIBYTE + 1000]] },
    { path: '/app/missing' },
  ],
} as const

async function image(t: Parameters<typeof temporaryFolder>[0]) {
  const cwd = await temporaryFolder(t)
  const layout = await makeLayout(`${cwd}/image`)
  await layout.add('app', [CONTENTS, { 'etc/small': 'a layer of its own' }])
  return { cwd, source: `oci:${layout.folder}:app` }
}

test('the spans and bytes of a SOCI index are those that a reader fetches', async (t) => {
  const { source } = await image(t)
  await convert(source, `${source}-soci`)
  const read = ['app/config', 'app/program', 'app/library']
  const whole = { version: 1, files: [...read, 'app/missing'].map((path) => ({ path: `/${path}` })) } as const
  const result = await simulate(`${source}-soci`, whole)
  const plain = result.ways.find(({ name }) => name === 'SOCI index')!
  const opened = await openImage(`${source}-soci`)
  t.after(() => opened.close())
  // The config file is in the first span of the library, which a runtime fetches once
  for (const path of ['app/program', 'app/library']) await opened.read(path)
  const { bytes } = opened.statistics
  const { layers } = (await inspect(`${source}-soci`)).images[0]!
  const eager = layers.filter(({ lazy }) => !lazy).reduce((sum, { size }) => sum + size, 0)
  // Besides the spans: the small layer, and the zTOC, whose size is estimated
  const ztoc = layers.reduce((sum, layer) => sum + (layer.ztoc?.size ?? 0), 0)
  assert.ok(Math.abs(plain.bytes - eager - bytes) < 0.5 * ztoc, `${plain.bytes} predicted, ${bytes + eager} fetched`)
  assert.deepEqual([result.files, result.missing, plain.isBound], [3, 1, false])
  assert.equal(
    result.size,
    layers.reduce((sum, { size }) => sum + size, 0),
  )
})

test('the start layer and spans of a profile are as large as predicted', async (t) => {
  const { source } = await image(t)
  const before = await simulate(source, PROFILE)
  await convert(source, `${source}-soci`, { profile: PROFILE })
  const { layers } = (await inspect(`${source}-soci`)).images[0]!
  const way = before.ways.find(({ name }) => name === 'profile')!
  const real = layers.at(-1)!.size
  assert.ok(Math.abs(way.startLayer - real) < 0.1 * real, `${way.startLayer} predicted, ${real} made`)
  // The image with a start layer and other spans gives the same advice
  const after = await simulate(`${source}-soci`, PROFILE)
  assert.deepEqual([after.size, after.recommended], [before.size, before.recommended])
  const again = after.ways.find(({ name }) => name === 'profile')!
  assert.ok(Math.abs(again.bytes - way.bytes) < 0.1 * way.bytes)
  assert.ok(
    after.ways.some(({ isBound }) => isBound),
    'its cold spans have 16 MiB',
  )
})

test('where a start reads nearly everything, the advice is a whole pull', async (t) => {
  const { source } = await image(t)
  const files = Object.keys(CONTENTS).map((path) => ({ path: `/${path}` }))
  const all = await simulate(source, { version: 1, files }, { bandwidth: 1e9, latency: 0.05, machineSpeed: 4 })
  assert.equal(all.recommended, 'whole pull')
  const little = await simulate(source, PROFILE, { bandwidth: 10e6 })
  assert.match(little.recommended, /^profile/)
  for (const options of [{ bandwidth: 0 }, { machineSpeed: Number.NaN }, { latency: -1 }])
    await assert.rejects(simulate(source, PROFILE, options), RangeError)
})

test('the command prints a table and the command to run', async (t) => {
  const { cwd, source } = await image(t)
  const profile = `${cwd}/my start.json`
  writeFileSync(profile, JSON.stringify(PROFILE))
  const table = await run(['simulate', source, '--profile', profile, '--bandwidth', '10MB', '--latency', '20ms'])
  assert.equal(table.status, 0, table.err)
  assert.match(table.out, /^ +WAY +SECONDS +FETCHED +REQUESTS +START LAYER\n +whole pull +\d/)
  assert.match(table.out, /\n\* +profile/)
  assert.match(table.err, /warning: 2 layers without a SOCI index: up to 2\d\.\d MB are read whole/)
  assert.match(table.err, /warning: the image does not have 1 path of the profile/)
  assert.match(
    table.err,
    /recommended: sociable convert oci:\S+ --profile '\S+\/my start\.json'.* \(\d+\.\d times as fast as a whole pull\)/,
  )
  await convert(source, `${source}-soci`)
  const twin = await run(['simulate', `${source}-soci`, '--profile', profile])
  assert.match(twin.err, /recommended: sociable convert oci:[^\s']+(?<!-soci) --profile/)
  const json = JSON.parse((await run(['simulate', source, '--profile', profile, '--json'])).out)
  assert.deepEqual(json.conditions, { bandwidth: 60e6, latency: 0.003, machineSpeed: 1, programTime: 0.5 })
  const without = await run(['simulate', source])
  assert.equal(without.status, 2)
  assert.match(without.err, /--profile is missing: `sociable profile --static IMAGE/)
  assert.equal((await run(['simulate', source, '--profile', profile, '--machine-speed', '0'])).status, 2)
})
