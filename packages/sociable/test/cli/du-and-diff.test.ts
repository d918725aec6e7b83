import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeLayout, noise, temporaryFolder } from './layout.js'
import { run } from './run.js'

test('du: folders by size, as the layers together show them', async (t) => {
  const cwd = await temporaryFolder(t)
  const layout = await makeLayout(join(cwd, 'image'))
  await layout.add('app', [
    { 'usr/lib/a': noise(3000), 'usr/lib/old': noise(90_000), 'usr/bin/b': noise(2000), 'etc/c': noise(4000) },
    { 'usr/lib/.wh.old': '' },
  ])
  const du = (...args: string[]) => run(['du', 'oci:image:app', '-p', 'linux/amd64', ...args], { cwd })
  const root = await du()
  assert.deepEqual([root.status, root.err], [0, ''])
  assert.deepEqual(root.out.split('\n'), ['  SIZE  FILES  PATH', '5.0 kB      2  usr', '4.0 kB      1  etc', ''])
  const { entries } = JSON.parse((await du('/usr', '--depth', '2', '--json')).out)
  assert.deepEqual(entries, [
    { path: 'usr/lib', size: 3000, files: 1 },
    { path: 'usr/lib/a', size: 3000, files: 1 },
    { path: 'usr/bin', size: 2000, files: 1 },
    { path: 'usr/bin/b', size: 2000, files: 1 },
  ])
  const missing = await du('none')
  assert.deepEqual([missing.status, missing.out, missing.err], [1, '', 'error: none: not in the image\n'])
})

test('diff: layers that are shared, pulled whole, or loaded lazily', async (t) => {
  const cwd = await temporaryFolder(t)
  const layout = await makeLayout(join(cwd, 'image'))
  const base = { base: noise(40_000, 1) }
  const one = await layout.add('one', [base, { app: noise(30_000, 2) }])
  const two = await layout.add('two', [base, { app: noise(30_000, 3) }, { small: 'x' }])
  await layout.add('arm', [base], 'arm64')
  for (const tag of ['one', 'two'])
    assert.equal((await run(['convert', `oci:image:${tag}`, '--min-layer-size', '1000'], { cwd })).status, 0)
  const diff = (...args: string[]) => run(['diff', ...args], { cwd })
  const { platforms } = JSON.parse((await diff('oci:image:one-soci', 'oci:image:two-soci', '--json')).out)
  const [platform] = platforms
  assert.equal(platforms.length, 1)
  assert.deepEqual(
    platform.layers.map(({ isShared, lazy }: { isShared: boolean; lazy: boolean }) => [isShared, lazy]),
    [
      [true, true],
      [false, true],
      [false, false],
    ],
  )
  const [shared, lazy, whole] = two.layers.map(({ size }) => size)
  assert.deepEqual([platform.sharedBytes, platform.lazyBytes, platform.wholeBytes], [shared, lazy, whole])
  assert.equal(platform.ztocBytes, platform.layers[1].ztocSize)
  assert.ok(platform.ztocBytes > 0)
  assert.deepEqual(
    platform.dropped.map(({ digest }: { digest: string }) => digest),
    [one.layers[1]!.digest],
  )
  const table = await diff('oci:image:one-soci', 'oci:image:two-soci')
  assert.match(
    table.out,
    /^linux\/amd64\n.*FETCHED\n1 .* no: both versions have it\n2 .* lazily\n3 .* whole\n.* before the start/,
  )
  const apart = await diff('oci:image:one', 'oci:image:arm')
  assert.deepEqual([apart.status, apart.out], [1, ''])
  assert.match(apart.err, /have no platform in common: the first has linux\/amd64, the second linux\/arm64\n$/)
})
