import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { gunzipSync, gzipSync } from 'node:zlib'
import { formatSize } from '../../src/size.js'
import { digestOf, makeLayout, noise, tar, temporaryFolder } from './layout.js'
import { PROGRAM, run } from './run.js'

interface Expectation {
  readonly layer: string
  readonly compression: string
  readonly spanSize: number
  readonly buildTool: string
  readonly verdict: 'loads' | 'unloadable' | 'refused' | 'crashes'
  readonly digest?: string
  readonly size?: number
}

const VECTORS = new URL('../../../../ztoc/test/vectors/', import.meta.url)

async function expectation(layer: string, verdict: string, spanSize?: number): Promise<Expectation & { file: string }> {
  const all = JSON.parse(await readFile(new URL('expected.json', VECTORS), 'utf8')) as Expectation[]
  const found = all.find(
    (each) =>
      each.layer === layer &&
      each.verdict === verdict &&
      each.buildTool !== '' &&
      (spanSize === undefined || each.spanSize === spanSize),
  )
  assert.ok(found, `no vector of ${layer} that is ${verdict}`)
  return { ...found, file: new URL(layer, VECTORS).pathname }
}

for (const layer of ['gzip-members-3-large.tar.gz', 'tar-types-all.tar.gz', 'plain-small.tar'])
  test(`the reference's digest: ${layer}`, async () => {
    const { file, digest, spanSize, buildTool } = await expectation(layer, 'loads')
    const args = ['ztoc', file, '--span-size', String(spanSize), '--build-tool', buildTool]
    const { status, out, err } = await run(args)
    assert.deepEqual([status, out, err], [0, `${digest}\n`, ''])
  })

test('a file, standard input and a layer of an image give the same', async (t) => {
  const folder = await temporaryFolder(t)
  const layout = await makeLayout(join(folder, 'image'))
  const { layers } = await layout.add('app', [{ 'etc/os-release': 'NAME=test\n', big: noise(300_000) }])
  const layer = layers[0]!.digest
  const file = await run(['ztoc', layout.path(layer)])
  assert.equal(file.status, 0, file.err)
  assert.match(file.out, /^sha256:[0-9a-f]{64}\n$/)
  const stdin = await run(['ztoc', '-'], { input: await readFile(layout.path(layer)) })
  assert.equal(stdin.out, file.out)
  const image = await run(['ztoc', `oci:image:app@${layer}`], { cwd: folder })
  assert.equal(image.out, file.out, image.err)
})

test('an image instead of a layer: its layers are listed, with their digests', async (t) => {
  const folder = await temporaryFolder(t)
  const layout = await makeLayout(join(folder, 'image'))
  const [first, second] = (await layout.add('app', [{ a: 'a' }, { b: noise(30_000) }])).layers
  const listed = await run(['ztoc', 'oci:image:app'], { cwd: folder })
  assert.deepEqual([listed.status, listed.out], [2, ''])
  assert.equal(
    listed.err,
    'error: oci:image:app is an image, not a layer: append @ and the digest of a layer\n' +
      `  linux/amd64:\n    ${first!.digest}  ${first!.size} B\n    ${second!.digest}  ${formatSize(second!.size)}\n`,
  )
  const wrong = await run(['ztoc', `oci:image:app@sha256:${'0'.repeat(64)}`], { cwd: folder })
  assert.equal(wrong.status, 1)
  assert.match(wrong.err, /no image in oci:image:app has this layer: `sociable ztoc oci:image:app` lists the layers\n$/)
  const missing = await run(['ztoc', 'layers.d/layer.tar'], { cwd: folder })
  assert.equal(missing.err, 'error: layers.d/layer.tar: no such file or folder\n')
})

test('--output FILE has the bytes of the digest', async (t) => {
  const folder = await temporaryFolder(t)
  const layer = join(folder, 'layer.tar.gz')
  await writeFile(layer, gzipSync(await tar({ a: noise(100_000) })))
  const { out } = await run(['ztoc', layer, '-o', 'made.ztoc'], { cwd: folder })
  assert.equal(`${digestOf(await readFile(join(folder, 'made.ztoc')))}\n`, out)
  assert.deepEqual((await readdir(folder)).sort(), ['layer.tar.gz', 'made.ztoc'])
})

test('--output - has the bytes on stdout and the digest on stderr', async (t) => {
  const layer = join(await temporaryFolder(t), 'layer.tar')
  await writeFile(layer, await tar({ a: noise(100_000) }))
  const { status, stdout, err } = await run(['ztoc', layer, '--output', '-'])
  assert.deepEqual([status, err], [0, `${digestOf(stdout)}\n`])
  const quiet = await run(['ztoc', layer, '--output', '-', '--quiet'])
  assert.deepEqual([quiet.err, quiet.stdout.equals(stdout)], ['', true])
})

test('a layer that fails leaves the output file as it was', async (t) => {
  const folder = await temporaryFolder(t)
  const bytes = gzipSync(await tar({ a: noise(100_000) }))
  await writeFile(join(folder, 'cut.tar.gz'), bytes.subarray(0, 50_000))
  await writeFile(join(folder, 'made.ztoc'), 'before')
  const { status, out, err } = await run(['ztoc', 'cut.tar.gz', '-o', 'made.ztoc'], { cwd: folder })
  assert.deepEqual([status, out], [1, ''])
  assert.match(err, /^error: .*cut\.tar\.gz.*\n/)
  assert.ok(err.trimEnd().split('\n').length <= 3, err)
  assert.equal(await readFile(join(folder, 'made.ztoc'), 'utf8'), 'before')
  assert.deepEqual((await readdir(folder)).sort(), ['cut.tar.gz', 'made.ztoc'])
})

test('an output that cannot be written', async (t) => {
  const folder = await temporaryFolder(t)
  await writeFile(join(folder, 'layer.tar'), await tar({ a: 'a' }))
  const { status, err } = await run(['ztoc', 'layer.tar', '-o', 'no/such/folder/x'], { cwd: folder })
  assert.equal(status, 1)
  assert.match(err, /^error: no\/such\/folder\/x\..*: no such file or folder\n/)
})

test('a device and a link stay what they are', async (t) => {
  const folder = await temporaryFolder(t)
  await writeFile(join(folder, 'layer.tar'), await tar({ a: 'a' }))
  assert.equal((await run(['ztoc', 'layer.tar', '-o', '/dev/null'], { cwd: folder })).status, 0)
  await mkdir(join(folder, 'there'))
  await writeFile(join(folder, 'there/made.ztoc'), 'before')
  await symlink('there/made.ztoc', join(folder, 'link'))
  const { out } = await run(['ztoc', 'layer.tar', '-o', 'link'], { cwd: folder })
  assert.equal(`${digestOf(await readFile(join(folder, 'there/made.ztoc')))}\n`, out)
  assert.deepEqual(await readdir(join(folder, 'there')), ['made.ztoc'])
})

test('--compression: what the bytes belie is an error', async (t) => {
  const folder = await temporaryFolder(t)
  const plain = await tar({ a: 'a' })
  await writeFile(join(folder, 'plain'), plain)
  const told = await run(['ztoc', 'plain'], { cwd: folder })
  assert.equal((await run(['ztoc', 'plain', '--compression', 'uncompressed'], { cwd: folder })).out, told.out)
  const wrong = await run(['ztoc', 'plain', '--compression', 'gzip'], { cwd: folder })
  assert.deepEqual([wrong.status, wrong.out], [1, ''])
  assert.match(wrong.err, /^error: .*gzip/)
})

test('--json', async () => {
  const { file, ...expected } = await expectation('tar-types-all.tar.gz', 'loads')
  const args = ['ztoc', file, '--span-size', String(expected.spanSize), '--build-tool', expected.buildTool, '--json']
  const document = JSON.parse((await run(args)).out) as Record<string, unknown>
  const bytes = await readFile(file)
  const { uncompressedSize, ...layer } = document.layer as Record<string, unknown>
  assert.deepEqual(layer, { digest: digestOf(bytes), size: bytes.length })
  assert.ok(Number(uncompressedSize) <= gunzipSync(bytes).length)
  assert.deepEqual(Object.keys(document), ['digest', 'size', 'layer', 'compression', 'spans', 'files', 'hasXattrs'])
  assert.deepEqual([document.digest, document.size], [expected.digest, expected.size])
})

test('a zTOC that a runtime would refuse is made, with a warning', async () => {
  const { file, digest, spanSize, buildTool } = await expectation('tar-size-on-type-5.tar.gz', 'unloadable')
  const args = ['ztoc', file, '--span-size', String(spanSize), '--build-tool', buildTool]
  const { status, out, err } = await run(args)
  assert.deepEqual([status, out], [0, `${digest}\n`])
  assert.match(err, /^warning: a runtime will refuse this zTOC: .*\n$/)
  const { unloadable } = JSON.parse((await run([...args, '--json'])).out) as { unloadable: string }
  assert.ok(err.includes(unloadable))
})

test("convert's other flags change nothing, and those that cannot mean anything say so", async (t) => {
  const layer = join(await temporaryFolder(t), 'layer.tar')
  await writeFile(layer, await tar({ a: 'a' }))
  const plain = await run(['ztoc', layer])
  const flags =
    '--min-layer-size 1GiB -p linux/arm64 --all-platforms --force --require-index --concurrency 1 --memory 1GiB'
  const flagged = await run(['ztoc', layer, ...flags.split(' ')])
  assert.deepEqual([flagged.out, flagged.err], [plain.out, ''])
  const prefetch = await run(['ztoc', layer, '--prefetch-file', '/a'])
  assert.equal(prefetch.out, plain.out)
  assert.match(prefetch.err, /^warning: prefetch lists .* no effect/)
})

test('a layer that is not there', async () => {
  const { status, out, err } = await run(['ztoc', '/no/such/layer'])
  assert.deepEqual([status, out], [1, ''])
  assert.match(err, /^error: .*\/no\/such\/layer/)
})

test('standard input that is not a layer', async () => {
  const { status, err } = await run(['ztoc', '-'], { input: 'hello' })
  assert.equal(status, 1)
  assert.match(err, /^error: /)
  assert.doesNotMatch(err, /fault in sociable/)
})

test('an empty input is not a layer', async (t) => {
  const cwd = await temporaryFolder(t)
  await writeFile(join(cwd, 'empty'), '')
  for (const layer of ['-', 'empty'])
    for (const kind of [[], ['--compression', 'uncompressed'], ['--compression', 'gzip']]) {
      const { status, out, err } = await run(['ztoc', layer, ...kind, '--output', 'out'], { cwd, input: '' })
      assert.deepEqual([status, out], [1, ''], layer)
      assert.match(err, /^error: .*(the input is empty|0 bytes long)/)
    }
  assert.deepEqual(await readdir(cwd), ['empty'])
})

test('a full device is named', { skip: process.platform !== 'linux' }, async (t) => {
  const layer = join(await temporaryFolder(t), 'layer.tar')
  await writeFile(layer, await tar({ a: 'a' }))
  const { status, err } = await run(['ztoc', layer, '--output', '/dev/full'])
  assert.deepEqual([status, err], [1, 'error: /dev/full: no space left on the device\n'])
})

test('a layer limit, as a flag and as a variable', async (t) => {
  const cwd = await temporaryFolder(t)
  await writeFile(join(cwd, 'layer.tar'), await tar({ a: 'a' }))
  for (const [flags, env] of [
    [['--layer-limit', '1KiB'], {}],
    [[], { SOCIABLE_LAYER_LIMIT: '1024' }],
  ] as const) {
    const { status, err } = await run(['ztoc', 'layer.tar', ...flags, '-o', 'out'], { cwd, env })
    assert.equal(status, 1)
    assert.match(err, /^error: .*layer unpacks to more than 1024 bytes/)
  }
  assert.deepEqual(await readdir(cwd), ['layer.tar'])
  assert.equal((await run(['ztoc', 'layer.tar', '--layer-limit', '1MiB'], { cwd })).status, 0)
})

test('in CI a line for the layer, elsewhere none', async (t) => {
  const layer = join(await temporaryFolder(t), 'layer.tar')
  await writeFile(layer, await tar({ a: 'a', b: 'b' }))
  const { err } = await run(['ztoc', layer], { env: { CI: 'true' } })
  assert.match(err, /^[0-9a-f]{12} {2}indexed {2}3\.1 kB {2}1 span {2}2 entries {2}\d+\.\d s.*\n$/)
  assert.equal((await run(['ztoc', layer], { env: { CI: 'true', SOCIABLE_QUIET: '1' } })).err, '')
  assert.equal((await run(['ztoc', layer], { env: { CI: 'false' } })).err, '')
})

test('a reader that stops is not an error', async (t) => {
  const layer = join(await temporaryFolder(t), 'layer.tar')
  await writeFile(layer, await tar({ a: noise(3_000_000) }))
  const script = 'set -o pipefail; "$0" "$1" ztoc "$2" --span-size 1KiB --output - | head -c 10 > /dev/null'
  const { stderr } = await promisify(execFile)('bash', ['-c', script, process.execPath, PROGRAM, layer])
  assert.doesNotMatch(stderr, /error|EPIPE/)
})
