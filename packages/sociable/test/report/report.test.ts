import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { convert, report } from '../../src/index.js'
import { FILE_DIRECTORY, FILE_LINK, FILE_READ, type ReportData } from '../../src/report/report-data.js'
import { run } from '../cli/run.js'
import { TestFolder } from '../support/folder.js'
import { OCI_GZIP } from '../support/layout.js'
import { AMD64, NAMED_APP, SMALL } from '../support/samples.js'
import { gzip, noise, tar } from '../support/tar.js'

const folder = new TestFolder()

/** What a page's script is given. */
function dataOf(html: string): ReportData {
  const packed = /<script type="text\/plain" id="report-data">([^<]*)<\/script>/.exec(html)![1]!
  return JSON.parse(gunzipSync(Buffer.from(packed, 'base64')).toString()) as ReportData
}

const path = folder.layout((layout) => {
  const base = gzip(
    tar([
      { name: 'app/' },
      { name: 'app/old.bin', content: noise(150_000, 'old') },
      { name: 'app/main', content: noise(20_000, 'main') },
      { name: 'app/cold', content: noise(40_000, 'cold') },
      { name: 'lib', type: '2', linkname: 'app' },
    ]),
  )
  const top = gzip(
    tar([
      { name: 'app/.wh.old.bin' },
      { name: 'app/data.bin', content: noise(120_000, 'data') },
      { name: 'copy/data.bin', content: noise(120_000, 'data') },
      { name: 'app/again', type: '1', linkname: 'app/data.bin' },
    ]),
  )
  const layers = [base, top].map((bytes) => layout.blob(bytes, OCI_GZIP))
  layout.top(layout.imageIndex([layout.manifest(layers, AMD64, { platform: AMD64 })], {}, NAMED_APP))
})
const image = `oci:${path}:app-soci`
const profile = { version: 1, files: [{ path: '/lib/main' }, { path: '/none' }] } as const

test('layers, files, what a start reads, and what could be smaller', async () => {
  await convert(`oci:${path}:app`, image, SMALL)
  const { html, platform } = await report(image, { profile, platform: 'linux/amd64' })
  assert.equal(platform, 'linux/amd64')
  const { layers, files, wastes, profile: read, sociVersion, starts } = dataOf(html)
  assert.deepEqual(
    starts.map(({ name, isCurrent }) => [name, isCurrent]),
    [
      ['whole pull', false],
      ['SOCI index', true],
      ['profile', false],
    ],
  )
  for (const { seconds, bytes, requests } of starts) assert.ok(seconds > 0.5 && bytes > 0 && requests > 0)
  assert.equal(sociVersion, 'v2')
  assert.deepEqual(
    layers.map(({ lazy, files, hiddenBytes }) => [lazy, files, hiddenBytes]),
    [
      [true, 3, 150_000],
      [true, 2, 0],
    ],
  )
  const [base] = layers
  assert.equal(base!.touched.length, 1)
  const [first, last] = base!.touched[0]!
  assert.ok(first > 0 && last < base!.spans.length - 1, 'only spans around one file')
  assert.deepEqual(layers[1]!.touched, [])
  const node = (name: string) => {
    const at = files.names.indexOf(name)
    return {
      parent: files.names[files.parents[at]!],
      size: files.sizes[at],
      layer: files.layers[at],
      flags: files.flags[at],
    }
  }
  assert.deepEqual(node('main'), { parent: 'app', size: 20_000, layer: 0, flags: FILE_READ })
  assert.deepEqual(node('cold'), { parent: 'app', size: 40_000, layer: 0, flags: 0 })
  assert.deepEqual(node('lib'), { parent: '', size: 0, layer: 0, flags: FILE_LINK })
  assert.deepEqual(node('again'), { parent: 'app', size: 0, layer: 1, flags: FILE_LINK })
  assert.equal(node('copy').flags, FILE_DIRECTORY)
  assert.equal(files.names.includes('old.bin'), false)
  assert.deepEqual([read!.files, read!.missing, read!.bytes], [1, 1, 20_000])
  assert.deepEqual(
    wastes.map(({ kind, bytes }) => [kind, bytes]),
    [
      ['hidden', 150_000],
      ['duplicate', 120_000],
    ],
  )
})

test('an image without an index, and the command', async () => {
  const cwd = folder.fresh()
  const plain = dataOf((await report(`oci:${path}:app`, { platform: 'linux/amd64' })).html)
  assert.equal(plain.profile, undefined)
  assert.deepEqual(plain.starts, [])
  assert.deepEqual(
    plain.layers.map(({ lazy, spans }) => [lazy, spans]),
    [
      [false, []],
      [false, []],
    ],
  )
  mkdirSync(cwd)
  writeFileSync(join(cwd, 'start.json'), JSON.stringify(profile))
  const args = ['report', image, '-p', 'linux/amd64', '--profile', 'start.json', '-o', 'page.html']
  const done = await run(args, { cwd })
  assert.deepEqual([done.status, done.out, done.err], [0, 'page.html\n', ''])
  assert.equal(dataOf(readFileSync(join(cwd, 'page.html'), 'utf8')).profile!.files, 1)
  const json = JSON.parse((await run([...args, '--json'], { cwd })).out)
  assert.equal(json.file, 'page.html')
})
