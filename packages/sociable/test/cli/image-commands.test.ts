import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { pack } from 'tar-stream'
import { digestOf, type Layout, makeLayout, noise, temporaryFolder } from './layout.js'
import { PROGRAM, run } from './run.js'

const DIGEST = 'sha256:[0-9a-f]{64}'
const execute = promisify(execFile)

/** `oci:image:app` in a folder of its own, with one layer above the 10 MiB from which layers are indexed, and two small ones below and above it. */
async function imageOf(t: TestContext): Promise<{ cwd: string; layout: Layout }> {
  const cwd = await temporaryFolder(t)
  const layout = await makeLayout(join(cwd, 'image'))
  await layout.add('app', [
    { 'etc/old': 'old', 'etc/name': 'first\n' },
    { 'usr/bin/app': noise(11 << 20), bin: { link: 'usr/bin' }, 'usr/bin/tool': 'tool\n' },
    { 'etc/.wh.old': '', 'etc/name': 'second\n' },
  ])
  return { cwd, layout }
}

/** The same with two platforms, in an image index. */
async function twoPlatforms(t: TestContext): Promise<{ cwd: string; layout: Layout }> {
  const cwd = await temporaryFolder(t)
  const layout = await makeLayout(join(cwd, 'image'))
  await layout.add('a', [{ big: noise(11 << 20, 1), 'etc/arch': 'amd64\n' }])
  await layout.add('b', [{ big: noise(11 << 20, 2), 'etc/arch': 'arm64\n' }], 'arm64')
  await layout.join('app')
  return { cwd, layout }
}

async function tagsOf(layout: Layout): Promise<Record<string, string>> {
  const index = JSON.parse(await readFile(join(layout.folder, 'index.json'), 'utf8')) as {
    manifests: { digest: string; annotations?: Record<string, string> }[]
  }
  return Object.fromEntries(
    index.manifests.map(({ digest, annotations }) => [annotations?.['org.opencontainers.image.ref.name'], digest]),
  )
}

test('convert: a new name beside the source, which stays', async (t) => {
  const { cwd, layout } = await imageOf(t)
  const before = await tagsOf(layout)
  const { status, out, err } = await run(['convert', 'oci:image:app'], { cwd })
  assert.deepEqual([status, err], [0, ''])
  assert.match(out, new RegExp(`^oci:image:app-soci@${DIGEST}\n$`))
  const digest = out.trim().split('@')[1]!
  assert.deepEqual(await tagsOf(layout), { ...before, 'app-soci': digest })
  assert.equal(digestOf(await readFile(layout.path(digest))), digest)
})

test('convert: the same again, everywhere', async (t) => {
  const { cwd } = await imageOf(t)
  const first = await run(['convert', 'oci:image:app'], { cwd })
  const files = await readdir(cwd, { recursive: true })
  const again = await run(['convert', 'oci:image:app'], { cwd, env: { CI: '1' } })
  assert.equal(again.out, first.out)
  assert.deepEqual(await readdir(cwd, { recursive: true }), files)
  assert.match(again.err, /^[0-9a-f]{12} {2}reused .*\n0 layers indexed, 1 reused, 2 skipped; 0 B read in \d/)
  const elsewhere = await run(['convert', 'oci:image:app', 'oci-archive:other.tar:v1', '--force'], { cwd })
  assert.equal(elsewhere.out.split('@')[0], 'oci-archive:other.tar:v1')
  assert.equal(elsewhere.out.split('@')[1], first.out.split('@')[1])
})

test('convert: in CI a line per layer and the summary', async (t) => {
  const { cwd } = await imageOf(t)
  const { err } = await run(['convert', 'oci:image:app', '--min-layer-size', '0'], { cwd, env: { CI: 'true' } })
  const lines = err.trimEnd().split('\n')
  assert.equal(lines.length, 4, err)
  for (const line of lines.slice(0, 3)) assert.match(line, /^[0-9a-f]{12} {2}indexed {2}[\d.]+ k?M?B {2}\d+ spans? {2}/)
  assert.match(lines[3]!, /^3 layers indexed; 11\.5 MB read in \d+\.\d s, [\d.]+ [kMG]?B\/s$/)
  const quiet = await run(['convert', 'oci:image:app', '--force', '--quiet'], { cwd, env: { CI: 'true' } })
  assert.deepEqual([quiet.status, quiet.err], [0, ''])
})

test('convert: flags and their variables are the same, the flag wins', async (t) => {
  const { cwd } = await imageOf(t)
  const convert = (args: string[], env: Record<string, string> = {}) =>
    run(['convert', 'oci:image:app', 'oci:out:app', '--force', ...args], { cwd, env })
  const byFlag = await convert(['--span-size', '1MiB', '--min-layer-size', '0', '--build-tool', 'me'])
  assert.equal(byFlag.status, 0, byFlag.err)
  const variables = { SOCIABLE_SPAN_SIZE: '1048576', SOCIABLE_MIN_LAYER_SIZE: '0', SOCIABLE_BUILD_TOOL: 'me' }
  assert.equal((await convert([], variables)).out, byFlag.out)
  const wins = await convert(['--span-size', '1MiB'], { ...variables, SOCIABLE_SPAN_SIZE: '2MiB' })
  assert.equal(wins.out, byFlag.out)
  assert.notEqual((await convert([])).out, byFlag.out)
})

test('convert: nothing to index is a copy with its reason, or with --require-index a failure', async (t) => {
  const cwd = await temporaryFolder(t)
  const layout = await makeLayout(join(cwd, 'image'))
  await layout.add('small', [{ a: 'a' }])
  const before = await tagsOf(layout)
  const refused = await run(['convert', 'oci:image:small', '--require-index'], { cwd })
  assert.deepEqual([refused.status, refused.out], [1, ''])
  assert.match(refused.err, /^error: .*smaller than/)
  assert.deepEqual(await tagsOf(layout), before)
  const copied = await run(['convert', 'oci:image:small'], { cwd })
  assert.equal(copied.status, 0)
  assert.match(copied.out, new RegExp(`^oci:image:small-soci@${DIGEST}\n$`))
  assert.match(copied.err, /^warning: copied without an index: .*smaller than.*\n$/)
})

test('convert --json', async (t) => {
  const { cwd } = await imageOf(t)
  const { out, err } = await run(['convert', 'oci:image:app', '--json'], { cwd })
  const document = JSON.parse(out) as Record<string, unknown> & { images: { layers: Record<string, unknown>[] }[] }
  assert.equal(err, '')
  assert.deepEqual(Object.keys(document), [
    'mediaType',
    'digest',
    'size',
    'source',
    'destination',
    'indexed',
    'images',
    'warnings',
    'bytesIndexed',
    'seconds',
  ])
  assert.deepEqual(
    document.images.map(({ layers }) => layers.map(({ state, spans }) => [state, spans])),
    [
      [
        ['skipped', undefined],
        ['indexed', 3],
        ['skipped', undefined],
      ],
    ],
  )
})

test('convert: platforms', async (t) => {
  const { cwd } = await twoPlatforms(t)
  const platforms = async (...args: string[]) => {
    const { out, err } = await run(['convert', 'oci:image:app', 'oci:out:app', '--json', ...args], { cwd })
    assert.notEqual(out, '', err)
    const { images } = JSON.parse(out) as { images: { name: string }[] }
    return images.map(({ name }) => name)
  }
  assert.deepEqual(await platforms(), ['linux/amd64', 'linux/arm64'])
  assert.deepEqual(await platforms('-p', 'linux/arm64'), ['linux/arm64'])
  assert.deepEqual(await platforms('-p', 'linux/arm64,linux/amd64'), ['linux/arm64', 'linux/amd64'])
  assert.deepEqual(await platforms('-p', 'linux/arm64', '--all-platforms'), ['linux/amd64', 'linux/arm64'])
  const { status, err } = await run(['convert', 'oci:image:app', '-p', 'linux/s390x'], { cwd })
  assert.equal(status, 1)
  assert.match(err, /^error: .*linux\/s390x.*linux\/amd64, linux\/arm64\n$/)
})

test('convert: prefetch lists', async (t) => {
  const { cwd } = await imageOf(t)
  await writeFile(join(cwd, 'paths.json'), '["/usr/bin/tool", " "]')
  const args = ['convert', 'oci:image:app', '--prefetch-files-json', 'paths.json', '--prefetch-file', '/no/such']
  const { status, err } = await run(args, { cwd })
  assert.equal(status, 0)
  assert.match(err, /^warning: .*\/?no\/such.*\n$/)
  const { out } = await run(['inspect', 'oci:image:app-soci', '--json'], { cwd })
  const { images } = JSON.parse(out) as { images: { layers: { prefetch?: number[][] }[] }[] }
  assert.deepEqual(
    images[0]!.layers.map(({ prefetch }) => prefetch?.length),
    [undefined, 1, undefined],
  )
  await writeFile(join(cwd, 'paths.json'), '{"a":1}')
  assert.match(
    (await run(args, { cwd })).err,
    /^error: --prefetch-files-json "paths\.json" is not a JSON array of paths/,
  )
})

test('convert: from standard input to standard output', async (t) => {
  const { cwd } = await imageOf(t)
  const { out } = await run(['convert', 'oci:image:app', 'oci-archive:made.tar:app'], { cwd })
  await execute('tar', ['-cf', '../in.tar', '.'], { cwd: join(cwd, 'image') })
  const input = await readFile(join(cwd, 'in.tar'))
  const piped = await run(['convert', '-', '-'], { cwd, input })
  assert.equal(piped.status, 0, piped.err)
  await writeFile(join(cwd, 'piped.tar'), piped.stdout)
  assert.equal(piped.err.trim().split('@')[1], out.trim().split('@')[1])
  const inspected = await run(['inspect', 'oci-archive:piped.tar', '--json'], { cwd })
  const { digest, sociEnabled } = JSON.parse(inspected.out) as { digest: string; sociEnabled: boolean }
  assert.deepEqual([digest, sociEnabled], [out.trim().split('@')[1], true])
})

test('convert: a source that is damaged leaves the destination as it was', async (t) => {
  const { cwd, layout } = await imageOf(t)
  const { images } = JSON.parse((await run(['inspect', 'oci:image:app', '--json'], { cwd })).out) as {
    images: { layers: { digest: string }[] }[]
  }
  const layer = images[0]!.layers[1]!.digest
  const bytes = await readFile(layout.path(layer))
  bytes[bytes.length >> 1]! ^= 1
  await writeFile(layout.path(layer), bytes)
  const before = await tagsOf(layout)
  const { status, out, err } = await run(['convert', 'oci:image:app'], { cwd })
  assert.deepEqual([status, out], [1, ''])
  assert.match(err, new RegExp(`^error: .*${layer.slice(7, 19)}`))
  assert.ok(err.trimEnd().split('\n').length <= 3, err)
  assert.deepEqual(await tagsOf(layout), before)
  await run(['convert', 'oci:image:app', 'oci-archive:made.tar'], { cwd })
  assert.deepEqual((await readdir(cwd)).sort(), ['image'])
})

test('create: the digests of the indexes, the image as it was, tags where asked for', async (t) => {
  const { cwd, layout } = await twoPlatforms(t)
  const before = await tagsOf(layout)
  const { status, out, err } = await run(['create', 'oci:image:app'], { cwd })
  assert.deepEqual([status, err], [0, ''])
  assert.match(out, new RegExp(`^${DIGEST}\n${DIGEST}\n$`))
  for (const digest of out.trim().split('\n')) assert.equal(digestOf(await readFile(layout.path(digest))), digest)
  assert.equal((await tagsOf(layout)).app, before.app)
  const tagged = await run(['create', 'oci:image:app', '-p', 'linux/arm64', '--index-tag', 'arm'], { cwd })
  assert.equal(tagged.out.trim(), out.trim().split('\n')[1])
  assert.equal((await tagsOf(layout)).arm, tagged.out.trim())
  const { images } = JSON.parse((await run(['inspect', 'oci:image:app', '--json'], { cwd })).out) as {
    images: { version: string; index: { digest: string } }[]
  }
  assert.deepEqual(
    images.map(({ version, index }) => [version, index.digest]),
    out
      .trim()
      .split('\n')
      .map((digest) => ['v1', digest]),
  )
})

test('inspect: a table, and why not', async (t) => {
  const { cwd } = await imageOf(t)
  const plain = await run(['inspect', 'oci:image:app'], { cwd })
  assert.deepEqual([plain.status, plain.err], [0, ''])
  assert.match(plain.out, /^oci:image:app\n/)
  assert.match(plain.out, /^SOCI-enabled {2}no$/m)
  assert.match(plain.out, /^Fargate {7}not eligible$/m)
  await run(['convert', 'oci:image:app'], { cwd })
  const soci = await run(['inspect', 'oci:image:app-soci'], { cwd })
  assert.match(soci.out, /^SOCI-enabled {2}yes$/m)
  assert.match(soci.out, new RegExp(`^SOCI index {4}${DIGEST} \\(v2\\)$`, 'm'))
  assert.match(soci.out, /^built by {6}sociable v1 \(as it says itself\)$/m)
  assert.match(soci.out, /^Fargate {7}eligible once it is in Amazon ECR$/m)
  assert.match(soci.out, /^2 {2}[0-9a-f]{12} {2}11\.5 MB {3}11\.5 MB {2}yes {7}3 {6}4 MiB {6}3 /m)
  assert.match(soci.out, /^3 {2}[0-9a-f]{12} .* no .*smaller than/m)
})

test('inspect --tree: what refers to what', async (t) => {
  const { cwd } = await imageOf(t)
  await run(['convert', 'oci:image:app'], { cwd })
  const tree = (await run(['inspect', 'oci:image:app-soci', '--tree'], { cwd })).out.replace(
    /sha256:[0-9a-f]{64}/g,
    'D',
  )
  assert.equal(
    tree.replace(/[\d.]+ kB|\d+ B/g, 'N'),
    [
      'oci:image:app-soci  D',
      '└─ linux/amd64  D',
      '   ├─ SOCI index v2  D',
      '   │  └─ zTOC of layer 2  D  N  3 spans of 4 MiB',
      '   ├─ layer 1  D  N  not lazy: smaller than 10 MiB',
      '   ├─ layer 2  D  11.5 MB  lazy',
      '   └─ layer 3  D  N  not lazy: smaller than 10 MiB',
      '',
    ].join('\n'),
  )
  const plain = await run(['inspect', 'oci:image:app', '--tree'], { cwd })
  assert.match(plain.out, /^└─ linux\/amd64 .*\n {3}├─ no SOCI index\n/m)
})

test("inspect --config: a platform's config, with no control characters of its own", async (t) => {
  const cwd = await temporaryFolder(t)
  const layout = await makeLayout(join(cwd, 'image'))
  await layout.add('a', [{ a: 'a' }], 'amd64', { Cmd: ['/app', '\u001b[31m'] })
  await layout.add('b', [{ a: 'b' }], 'arm64', { Cmd: ['/arm'] })
  await layout.join('app')
  const config = async (...args: string[]) => {
    const { status, out, err } = await run(['inspect', 'oci:image:app', '--config', ...args], { cwd })
    assert.deepEqual([status, err], [0, ''])
    assert.ok(!out.includes('\u001b'))
    return JSON.parse(out) as { architecture: string; config: { Cmd: string[] } }
  }
  assert.deepEqual((await config('-p', 'linux/amd64')).config.Cmd, ['/app', '\u001b[31m'])
  assert.equal((await config('-p', 'linux/arm64', '--json')).architecture, 'arm64')
  const absent = await run(['inspect', 'oci:image:app', '--config', '-p', 'linux/s390x'], { cwd })
  assert.deepEqual([absent.status, absent.out], [1, ''])
  for (const wrong of [['--tree'], ['-p', 'linux/amd64,linux/arm64']])
    assert.equal((await run(['inspect', 'oci:image:app', '--config', ...wrong], { cwd })).status, 2)
})

test('names that are meant otherwise than they are written: errors say what to write', async (t) => {
  const { cwd } = await imageOf(t)
  await writeFile(join(cwd, 'app.tar'), '')
  const refused = async (...args: string[]) => {
    const { status, out, err } = await run(args, { cwd })
    assert.notEqual(status, 0)
    assert.equal(out, '')
    return err
  }
  assert.match(
    await refused('inspect', 'image:app'),
    /^error: image is a folder with an image layout: write oci:image:app\n$/,
  )
  const archive = 'oci-archive:app.tar or docker-archive:app.tar'
  assert.equal(await refused('ls', 'app.tar'), `error: app.tar is a file: write ${archive}\n`)
  assert.match(
    await refused('inspect', 'https://registry.example/app:1/'),
    /write it without the scheme, as registry\.example\/app:1\n$/,
  )
  for (const tag of ['zebra', 'ap', 'appendix'])
    assert.equal((await run(['copy', 'oci:image:app', `oci:image:${tag}`], { cwd })).status, 0)
  assert.match(await refused('inspect', 'oci:image:zebr'), /it has zebra, a/)
})

test('ls: the layers put together, whiteouts and links heeded', async (t) => {
  const { cwd } = await imageOf(t)
  await run(['convert', 'oci:image:app'], { cwd })
  const ls = async (...args: string[]) => {
    const { status, out, err } = await run(['ls', 'oci:image:app-soci', '-p', 'linux/amd64', ...args], { cwd })
    assert.deepEqual([status, err], [0, ''])
    return out.trimEnd().split('\n')
  }
  assert.deepEqual(await ls(), ['bin', 'etc', 'usr'])
  assert.deepEqual(await ls('/etc'), ['name'])
  assert.deepEqual(await ls('bin'), ['app', 'tool'])
  assert.deepEqual(await ls('etc/name'), ['name'])
  assert.deepEqual(await ls('-R', 'usr/'), ['bin', 'bin/app', 'bin/tool'])
  assert.deepEqual(await ls('-l', 'usr/bin'), [
    '-rw-r--r--  0:0  11534336  2001-09-09T01:46:40Z  app',
    '-rw-r--r--  0:0         5  2001-09-09T01:46:40Z  tool',
  ])
  assert.match((await ls('-l'))[0]!, /^lrw.* bin -> usr\/bin$/)
  const { out } = await run(['ls', 'oci:image:app-soci', '-p', 'linux/amd64', '--json', 'etc'], { cwd })
  const document = JSON.parse(out) as { path: string; entries: { path: string; size: number }[] }
  assert.deepEqual(Object.keys(document), ['image', 'platform', 'digest', 'path', 'entries', 'statistics'])
  assert.deepEqual([document.path, document.entries.map(({ path, size }) => [path, size])], ['etc', [['etc/name', 7]]])
})

test('ls: flags and several paths, as people type them', async (t) => {
  const cwd = await temporaryFolder(t)
  const layout = await makeLayout(join(cwd, 'image'))
  await layout.add('app', [{ 'a/small': 'x', 'a/.hidden': 'xyz', 'a/large': noise(5_200_000), 'b/one': 'one' }])
  const ls = (...args: string[]) => run(['ls', 'oci:image:app', '-p', 'linux/amd64', ...args], { cwd })
  assert.equal((await ls('-a', 'a')).out, '.hidden\nlarge\nsmall\n')
  assert.equal((await ls('-S', 'a')).out, 'large\n.hidden\nsmall\n')
  assert.match(
    (await ls('-lah', 'a')).out,
    /^-rw-r--r-- {2}0:0 +3 B .* \.hidden\n.* 5\.2 MB .* large\n.* 1 B .* small\n$/,
  )
  assert.equal((await ls('b', 'a/small')).out, 'b:\none\n\na/small:\nsmall\n')
  const { paths, entries } = JSON.parse((await ls('--json', '-S', 'b', '/a')).out)
  assert.deepEqual(paths, ['b', '/a'])
  assert.deepEqual(
    entries.map(({ path }: { path: string }) => path),
    ['b/one', 'a/large', 'a/.hidden', 'a/small'],
  )
  const missing = await ls('a', 'none')
  assert.deepEqual([missing.status, missing.out, missing.err], [1, '', 'error: none: not in the image\n'])
  const both = await ls('-St')
  assert.deepEqual([both.status, both.err], [2, 'error: -S and -t cannot be combined\n'])
  const help = await run(['ls', '-h'])
  assert.deepEqual([help.status, help.out.split('\n')[0]], [0, 'Usage: sociable ls [options] <image> [paths...]'])
  assert.equal((await run(['ls'])).status, 2)
})

test('ls -t: the newest first, those without a time last', async (t) => {
  const cwd = await temporaryFolder(t)
  const layout = await makeLayout(join(cwd, 'image'))
  const out = pack()
  for (const [name, time] of [
    ['a', 1e12],
    ['b', 1.2e12],
    ['c', 1.1e12],
    ['d/e', 1.3e12],
  ] as const)
    out.entry({ name, mtime: new Date(time) }, name)
  out.finalize()
  await layout.add('app', [gzipSync(await buffer(out))])
  const { out: listed } = await run(['ls', '-t', 'oci:image:app', '-p', 'linux/amd64'], { cwd })
  assert.equal(listed, 'b\nc\na\nd\n')
})

test('cat: bytes as they are, of several files, fetching little', async (t) => {
  const { cwd } = await imageOf(t)
  await run(['convert', 'oci:image:app'], { cwd })
  const cat = (...args: string[]) => run(['cat', 'oci:image:app-soci', '-p', 'linux/amd64', ...args], { cwd })
  assert.ok((await cat('usr/bin/app')).stdout.equals(noise(11 << 20)))
  assert.equal((await cat('/etc/name', 'bin/tool')).out, 'second\ntool\n')
  const verbose = await cat('bin/tool', '--verbose')
  const [, fetched] = /^linux\/amd64: fetched ([\d.]+) MB of 11\.5 MB in \d+ requests?, 1 zTOC/.exec(verbose.err)!
  assert.ok(Number(fetched) < 6, `one span of three and the zTOC: ${verbose.err}`)
  for (const path of ['no/such', 'etc', 'etc/old']) {
    const { status, out, err } = await cat(path)
    assert.deepEqual([status, out], [1, ''])
    assert.ok(err.startsWith(`error: ${path}`), err)
  }
})

test('ls and cat: a platform, chosen', async (t) => {
  const { cwd } = await twoPlatforms(t)
  await run(['convert', 'oci:image:app'], { cwd })
  for (const architecture of ['amd64', 'arm64']) {
    const args = ['cat', 'oci:image:app-soci', 'etc/arch', '-p', `linux/${architecture}`]
    assert.equal((await run(args, { cwd })).out, `${architecture}\n`)
  }
  const { status, err } = await run(['ls', 'oci:image:app-soci', '-p', 'linux/s390x'], { cwd })
  assert.equal(status, 1)
  assert.match(err, /^error: .*linux\/s390x.*linux\/amd64, linux\/arm64/)
})

test('a reader that stops is not an error', async (t) => {
  const cwd = await temporaryFolder(t)
  const layout = await makeLayout(join(cwd, 'image'))
  const tree = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`folder/a-file-with-a-long-name-${i}`, '']))
  await layout.add('app', [{ ...tree, big: noise(2_000_000) }])
  await run(['convert', 'oci:image:app', '--min-layer-size', '0'], { cwd })
  const pipeline = async (command: string) =>
    await execute(
      'bash',
      ['-c', `set -o pipefail; "$0" "$1" ${command} -p linux/amd64 | head -c 10`, process.execPath, PROGRAM],
      { cwd },
    )
  const listed = await pipeline('ls -R oci:image:app-soci')
  assert.deepEqual([listed.stdout, listed.stderr], ['big\nfolder', ''])
  const printed = await pipeline('cat oci:image:app-soci big')
  assert.equal(printed.stderr, '')
})

const hasSkopeo = spawnSync('skopeo', ['--version']).status === 0
test('what skopeo makes, and what it makes of ours', { skip: !hasSkopeo && !process.env.CI }, async (t) => {
  const { cwd } = await imageOf(t)
  const skopeo = (...args: string[]) => execute('skopeo', ['--insecure-policy', ...args], { cwd })
  await skopeo('copy', '-q', 'oci:image:app', 'docker-archive:saved.tar:example.test/app:1')
  await skopeo('copy', '-q', 'oci:image:app', 'oci-archive:packed.tar:app')
  for (const source of ['docker-archive:saved.tar', 'oci-archive:packed.tar:app']) {
    const { status, out, err } = await run(['convert', source, 'oci:made:app'], { cwd })
    assert.deepEqual([status, err], [0, ''], source)
    const { stdout } = await skopeo('inspect', '--raw', 'oci:made:app')
    assert.equal(digestOf(Buffer.from(stdout)), out.trim().split('@')[1])
    await mkdir(join(cwd, 'copied'))
    await skopeo('copy', '-q', '--all', 'oci:made:app', 'oci:copied:app')
    const { sociEnabled } = JSON.parse((await run(['inspect', 'oci:copied:app', '--json'], { cwd })).out) as {
      sociEnabled: boolean
    }
    assert.equal(sociEnabled, true)
    await rm(join(cwd, 'copied'), { recursive: true })
  }
})

test('cat, ls, extract: an image without an index says once that layers are read whole, how much, and what to do', async (t) => {
  const { cwd } = await imageOf(t)
  const warning = /^warning: 3 layers without a SOCI index: up to 11\.5 MB are read whole\. .* `sociable convert`\n$/
  const platform = ['-p', 'linux/amd64']
  for (const command of [
    ['cat', 'oci:image:app', '/usr/bin/tool', '/usr/bin/tool'],
    ['ls', '-R', 'oci:image:app'],
    ['extract', 'oci:image:app', '/etc', 'etc'],
  ])
    assert.match((await run([...command, ...platform], { cwd })).err, warning, command[0])
  assert.equal((await run(['ls', 'oci:image:app', ...platform, '--quiet'], { cwd })).err, '')
  assert.equal((await run(['convert', 'oci:image:app'], { cwd })).status, 0)
  assert.equal(
    (await run(['ls', '-R', 'oci:image:app-soci', ...platform], { cwd })).err,
    '',
    'small layers are in no index',
  )
  const limited = await run(['ls', 'oci:image:app', ...platform, '--layer-limit', '1MiB'], { cwd })
  assert.equal(limited.status, 1)
  assert.match(limited.err, /error: layer sha256:[0-9a-f]{64}: the layer unpacks to more than 1048576 bytes/)
})
