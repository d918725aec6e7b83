import assert from 'node:assert/strict'
import { readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { test } from 'node:test'
import { extract as tarExtract } from 'tar-stream'
import { makeLayout, noise, temporaryFolder } from './layout.js'
import { run } from './run.js'

const outside = (target: string) =>
  `it is a symlink to ${target}, outside of the folder (--keep-links writes such links)`

test('extract writes files, and reports what it skips', async (t) => {
  const cwd = await temporaryFolder(t)
  const layout = await makeLayout(join(cwd, 'image'))
  await layout.add('app', [
    { 'etc/name': 'app\n', 'etc/passwd': { link: '/run/secret' }, 'etc/self': { link: 'name' }, big: noise(90_000) },
  ])
  const small = ['--min-layer-size', '0', '--span-size', '10000']
  assert.equal((await run(['convert', 'oci:image:app', ...small], { cwd })).status, 0)
  const extract = (...args: string[]) => run(['extract', 'oci:image:app-soci', ...args, '-p', 'linux/amd64'], { cwd })

  const done = await extract('/etc', 'made')
  const warning = `warning: etc/passwd is skipped: ${outside('/run/secret')}\n`
  assert.deepEqual([done.status, done.out, done.err], [0, 'made\n', warning])
  assert.deepEqual((await readdir(join(cwd, 'made'))).sort(), ['name', 'self'])
  assert.equal(await readFile(join(cwd, 'made', 'self'), 'utf8'), 'app\n')

  const quiet = await extract('etc', 'quiet', '--quiet')
  assert.equal(quiet.err, '')
  const all = await extract('/', 'all', '--json', '--verbose')
  const { files, directories, symlinks, bytes, skipped, statistics } = JSON.parse(all.out)
  // From the image's root the link leads to a place that is in it, or could be
  assert.deepEqual([files, directories, symlinks, bytes, skipped], [2, 1, 2, 90_004, []])
  assert.equal(statistics.wholeLayers.length, 0)
  assert.match(all.err, /^2 files, 90\.0 kB\n.*fetched/s)

  const again = await extract('/etc', 'made')
  assert.equal(again.status, 1)
  assert.equal(again.err, 'error: made has files in it: name a folder that is empty, or not there yet\n')
  const missing = await extract('/none', 'other')
  assert.deepEqual([missing.status, missing.err], [1, 'error: /none: not in the image\n'])
  assert.deepEqual((await readdir(cwd)).sort(), ['all', 'image', 'made', 'quiet'])
})

test('extract: a file goes into a folder that has others, but replaces none', async (t) => {
  const cwd = await temporaryFolder(t)
  const layout = await makeLayout(join(cwd, 'image'))
  await layout.add('app', [{ 'etc/name': 'app\n', 'etc/other': 'other\n' }])
  const extract = (...args: string[]) => run(['extract', 'oci:image:app', ...args, '-p', 'linux/amd64'], { cwd })
  for (const path of ['/etc/name', '/etc/other']) {
    const { status, err } = await extract(path, 'made')
    assert.deepEqual([status, err], [0, ''])
  }
  assert.deepEqual((await readdir(join(cwd, 'made'))).sort(), ['name', 'other'])
  assert.equal(await readFile(join(cwd, 'made', 'name'), 'utf8'), 'app\n')
  const again = await extract('/etc/name', 'made')
  assert.deepEqual([again.status, again.out], [1, ''])
  assert.equal(again.err, 'error: made has a file of that name: remove it, or name another folder\n')
  assert.deepEqual((await readdir(join(cwd, 'made'))).sort(), ['name', 'other'])
})

test('extract: one line for all that is skipped, with --verbose a line for each', async (t) => {
  const cwd = await temporaryFolder(t)
  const layout = await makeLayout(join(cwd, 'image'))
  await layout.add('app', [{ 'etc/a': { link: '/run/a' }, 'etc/b': { link: '/run/b' }, 'etc/c': 'c' }])
  const extract = (...args: string[]) => run(['extract', 'oci:image:app', 'etc', ...args, '-p', 'linux/amd64'], { cwd })
  const { status, err } = await extract('one')
  assert.deepEqual(
    [status, err],
    [0, `warning: etc/a is skipped: ${outside('/run/a')}; and 1 more (--verbose lists them)\n`],
  )
  assert.match(
    (await extract('two', '--verbose')).err,
    /^warning: etc\/a is .*\/run\/a, .*\nwarning: etc\/b is .*\/run\/b, .*\n/,
  )
})

test('extract --keep-links writes links as the image has them', async (t) => {
  const cwd = await temporaryFolder(t)
  const layout = await makeLayout(join(cwd, 'image'))
  await layout.add('app', [{ 'etc/a': { link: '/run/a' }, 'etc/b': { link: '/etc/c' }, 'etc/c': 'c' }])
  const { status, err } = await run(['extract', 'oci:image:app', '/etc', 'kept', '--keep-links', '-p', 'linux/amd64'], {
    cwd,
  })
  assert.deepEqual([status, err], [0, ''])
  assert.deepEqual(await Promise.all(['a', 'b'].map((name) => readlink(join(cwd, 'kept', name)))), ['/run/a', '/etc/c'])
})

test('extract to - writes a tar to stdout, and reports what it skips', async (t) => {
  const cwd = await temporaryFolder(t)
  const layout = await makeLayout(join(cwd, 'image'))
  await layout.add('app', [{ 'etc/a': { link: '/run/a' }, 'etc/b': 'b', other: 'o' }])
  const extract = (...args: string[]) => run(['extract', 'oci:image:app', ...args, '-p', 'linux/amd64'], { cwd })
  const { status, stdout, err } = await extract('/etc', '-')
  assert.deepEqual([status, err], [0, ''])
  const found: Record<string, string> = {}
  const reading = tarExtract()
  reading.on('entry', async ({ name, linkname }, stream, next) => {
    const chunks: Buffer[] = []
    for await (const chunk of stream) chunks.push(chunk as Buffer)
    found[name] = linkname ?? Buffer.concat(chunks).toString()
    next()
  })
  await pipeline([stdout], reading)
  assert.deepEqual(found, { a: '/run/a', b: 'b' })
  const both = await extract('/etc', '-', '--json')
  assert.deepEqual([both.status, JSON.parse(both.out).error.code], [2, 'USAGE'])
})
