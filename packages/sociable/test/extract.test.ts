// An image's files written to this machine: all of them, nothing else, and nothing anywhere else.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { lstat, mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { openStore, type Store } from '@sociable/oci'
import type { FileEntry } from '@sociable/ztoc'
import { extractFiles } from '../src/extract.js'
import { convert, type Image, type OpenImageOptions, openImage } from '../src/index.js'
import type { ExtractSource } from '../src/reading/extract-writer.js'
import { relativeTarget } from '../src/reading/link-target.js'
import type { Found, OpenLayer } from '../src/reading/union.js'
import { makeLayout, temporaryFolder } from './cli/layout.js'
import { TestFolder } from './support/folder.js'
import { OCI_GZIP } from './support/layout.js'
import { doubles } from './support/registries.js'
import { AMD64, NAMED_APP, SMALL } from './support/samples.js'
import { gzip, noise, type TarEntry, tar, untar } from './support/tar.js'

const folder = new TestFolder()
const OPTIONS: OpenImageOptions = { platform: 'linux/amd64' }

/** An image with these layers and its index, as a layout. */
async function imageOf(...layers: (readonly TarEntry[])[]): Promise<string> {
  const path = folder.layout((layout) =>
    layout.top(
      layout.manifest(
        layers.map((entries) => layout.blob(gzip(tar(entries)), OCI_GZIP)),
        AMD64,
        NAMED_APP,
      ),
    ),
  )
  await convert(`oci:${path}:app`, undefined, SMALL)
  return `oci:${path}:app-soci`
}

async function using<Result>(name: Parameters<typeof openImage>[0], work: (image: Image) => Promise<Result>) {
  const image = await openImage(name, OPTIONS)
  try {
    return await work(image)
  } finally {
    await image.close()
  }
}

/** A path that is not there yet, alone in a folder: whatever gets out shows. */
function target(): { parent: string; out: string } {
  const parent = folder.fresh()
  mkdirSync(parent)
  return { parent, out: join(parent, 'out') }
}

/** Each path below with what it is. Symlinks are not followed: whether node's own recursive readdir does differs between its versions. */
function tree(root: string, below = ''): Record<string, string> {
  const found: Record<string, string> = {}
  for (const entry of readdirSync(join(root, below), { withFileTypes: true })) {
    const name = join(below, entry.name)
    const path = join(root, name)
    if (entry.isDirectory()) Object.assign(found, { [name]: '/' }, tree(root, name))
    else found[name] = entry.isSymbolicLink() ? `-> ${readlinkSync(path)}` : readFileSync(path, 'utf8')
  }
  return found
}

test('all of an image, as umoci unpacks it', async (t) => {
  const { tool } = await doubles()
  const umoci = await tool(t, 'umoci')
  if (umoci === undefined) return
  const cwd = await temporaryFolder(t)
  const layout = await makeLayout(join(cwd, 'image'))
  const directory = { directory: true } as const
  await layout.add('app', [
    {
      etc: directory,
      'etc/os-release': 'ID=test\n',
      'etc/gone': 'x',
      'opt/old/a': 'old',
      'usr/lib/big': noise(90_000, 'big'),
    },
    {
      'etc/.wh.gone': '',
      'opt/old/.wh..wh..opq': '',
      'opt/old/b': 'new',
      bin: { link: 'usr/bin' },
      'usr/bin/sh': 'shell',
    },
    { 'etc/os-release': 'ID=other\n', 'usr/lib/os': { link: '../../etc/os-release' }, 'usr/lib/small': 's', empty: '' },
  ])
  await convert(`oci:${layout.folder}:app`, undefined, SMALL)
  execFileSync(umoci, ['unpack', '--rootless', '--image', `${layout.folder}:app`, join(cwd, 'bundle')])
  const { out } = target()
  const result = await using(`oci:${layout.folder}:app-soci`, (image) => image.extract('/', out))
  const expected = tree(join(cwd, 'bundle', 'rootfs'))
  assert.deepEqual(tree(out), expected)
  const count = (is: (content: string) => boolean) => Object.values(expected).filter(is).length
  assert.deepEqual(
    [result.files, result.directories, result.symlinks, result.skipped],
    [
      count((content) => content !== '/' && !content.startsWith('-> ')),
      count((content) => content === '/'),
      count((content) => content.startsWith('-> ')),
      [],
    ],
  )
})

test('a directory, a file, and what a symlink leads to', async () => {
  const name = await imageOf([
    { name: 'etc/conf/a', content: 'A', mode: 0o640 },
    { name: 'etc/conf/up', type: '2', linkname: '../other' },
    { name: 'etc/conf/here', type: '2', linkname: '/etc/conf/./a' },
    { name: 'etc/conf/root', type: '2', linkname: '/etc/conf' },
    { name: 'etc/other', content: 'other' },
    { name: 'link', type: '2', linkname: 'etc/conf' },
    { name: 'tool', content: 'tool', mode: 0o6755 },
  ])
  await using(name, async (image) => {
    for (const path of ['etc/conf', '/etc/conf/', 'link', 'etc/../link/.']) {
      const { out } = target()
      const { skipped } = await image.extract(path, out)
      assert.deepEqual(tree(out), { a: 'A', here: '-> a', root: '-> .' }, path)
      assert.deepEqual(skipped, [
        {
          path: 'etc/conf/up',
          reason: 'it is a symlink to ../other, outside of the folder (--keep-links writes such links)',
        },
      ])
    }
    const { out } = target()
    mkdirSync(out) // an empty folder may be there
    assert.deepEqual(await image.extract('tool', out), { files: 1, directories: 0, symlinks: 0, bytes: 4, skipped: [] })
    assert.deepEqual(tree(out), { tool: 'tool' })
    const { mode, mtimeMs } = statSync(join(out, 'tool'))
    assert.deepEqual([mode & 0o7777, mtimeMs], [0o755, 1_600_000_000_000], 'no set-id bits')
    const deep = join(target().out, 'made', 'too')
    await image.extract('etc/conf/a', deep)
    assert.equal(statSync(join(deep, 'a')).mode & 0o7777, 0o640)

    await assert.rejects(image.extract('etc/none', target().out), { code: 'PATH_NOT_FOUND' })
    await assert.rejects(image.extract('etc', out), { code: 'DESTINATION_INVALID', message: /has files in it/ })
    await assert.rejects(image.extract('etc', join(out, 'tool')), {
      code: 'DESTINATION_INVALID',
      message: /is not a folder/,
    })
    assert.deepEqual(tree(out), { tool: 'tool' })
  })
})

test('hard links stay links, those of no file are skipped', async () => {
  const name = await imageOf(
    [{ name: 'below', content: 'below' }],
    [
      { name: 'one', content: 'content' },
      { name: 'd/two', type: '1', linkname: 'one' },
      { name: 'three', type: '1', linkname: '/d/two' },
      { name: 'across', type: '1', linkname: 'below' },
      { name: 'to-link', type: '1', linkname: 'symlink' },
      { name: 'symlink', type: '2', linkname: 'one' },
      { name: 'dangling', type: '1', linkname: '../../etc/hostname' },
    ],
  )
  const { out } = target()
  const { files, bytes, skipped } = await using(name, (image) => image.extract('/', out))
  const inode = (path: string) => statSync(join(out, path)).ino
  assert.equal(inode('d/two'), inode('one'))
  assert.equal(inode('three'), inode('one'))
  assert.equal(inode('across'), inode('below'))
  assert.equal(readlinkSync(join(out, 'to-link')), 'one')
  assert.deepEqual([files, bytes], [5, 'content'.length + 'below'.length])
  assert.deepEqual(
    skipped.map(({ path }) => path),
    ['dangling'],
  )
  assert.match(skipped[0]!.reason, /hard link to \/etc\/hostname, which is not a file of the image/)
})

test('nothing gets out: names, symlinks, devices', async () => {
  const { parent, out } = target()
  const outside = join(parent, 'outside')
  mkdirSync(outside)
  writeFileSync(join(outside, 'kept'), 'kept')
  const name = await imageOf(
    [
      { name: '../../up', content: 'u' },
      { name: '/absolute', content: 'a' },
      { name: 'a/../../../b', content: 'b' },
      { name: 'evil', type: '2', linkname: outside },
      { name: 'evil/kept', content: 'overwritten' },
      { name: 'dir', type: '2', linkname: '..' },
      { name: 'later', type: '2', linkname: '../outside' },
      { name: 'self', type: '2', linkname: '.' },
      { name: 'through', type: '2', linkname: 'self/../outside' },
      { name: 'loop', type: '2', linkname: 'loop' },
      { name: 'null', type: '3' },
      { name: 'disk', type: '4' },
      { name: 'pipe', type: '6' },
      { name: 'back\\slash', content: 'x' },
      { name: 'hard', type: '1', linkname: `${outside}/other` },
    ],
    [
      { name: 'later/kept', content: 'overwritten' },
      { name: 'dir/outside/kept', content: 'overwritten' },
    ],
  )
  const result = await using(name, (image) => image.extract('/', out))
  assert.deepEqual(readdirSync(parent).sort(), ['out', 'outside'])
  assert.deepEqual(tree(outside), { kept: 'kept' })
  const root = realpathSync(out)
  for (const [path, content] of Object.entries(tree(out))) {
    const file = join(out, path)
    if (content.startsWith('-> ')) {
      // Those that lead to nothing would lead to something within
      const leads = existsSync(file) ? realpathSync(file) : join(realpathSync(dirname(file)), readlinkSync(file))
      assert.ok(`${leads}/`.startsWith(`${root}/`), `${path} ${content}`)
    } else assert.ok(lstatSync(file).isFile() || lstatSync(file).isDirectory(), path)
  }
  const skipped = new Map(result.skipped.map(({ path, reason }) => [path, reason]))
  assert.equal(skipped.get('null'), 'it is a device')
  assert.equal(skipped.get('disk'), 'it is a device')
  assert.equal(skipped.get('pipe'), 'it is a pipe')
  assert.match(skipped.get('through')!, /symlink to self\/\.\.\/outside, outside of the folder/)
  assert.match(skipped.get('hard')!, /is not a file of the image/)
  assert.equal(readFileSync(join(out, outside, 'kept'), 'utf8'), 'overwritten', 'within, where the symlink leads')
  assert.equal(readFileSync(join(out, 'up'), 'utf8'), 'u')
  assert.equal(readFileSync(join(out, 'absolute'), 'utf8'), 'a')
  assert.equal(readFileSync(join(out, 'later', 'kept'), 'utf8'), 'overwritten', 'a directory, in place of the link')
})

test('keepLinks: every symlink has the target that the image has, and nothing is written through one', async () => {
  const { parent, out } = target()
  const outside = join(parent, 'outside')
  mkdirSync(outside)
  const name = await imageOf([
    { name: 'absolute', type: '2', linkname: outside },
    { name: 'absolute/kept', content: 'within' },
    { name: 'up', type: '2', linkname: '../outside' },
    { name: 'd/root', type: '2', linkname: '/d' },
    { name: 'dangling', type: '2', linkname: '/no/such' },
  ])
  const { skipped } = await using(name, (image) => image.extract('/', out, { keepLinks: true }))
  assert.deepEqual(skipped, [])
  const { absolute, up, 'd/root': root, dangling } = tree(out)
  assert.deepEqual([absolute, up, root, dangling], [`-> ${outside}`, '-> ../outside', '-> /d', '-> /no/such'])
  assert.deepEqual(tree(outside), {})
})

test('a tar has what the image has, as tar unpacks it: links, owners, modes, attributes and long names', async () => {
  const long = `d/${'n'.repeat(120)}`
  const name = await imageOf(
    [
      { name: 'd/', mode: 0o2750 },
      { name: 'd/below', content: 'below', pax: { uid: '1000', gid: '100' } },
      { name: 'd/gone', content: 'x' },
      { name: 'long', content: noise(30_000, 'long'), mode: 0o4755, pax: { path: long } },
      { name: 'other', content: 'not asked for' },
    ],
    [
      { name: 'd/.wh.gone', content: '' },
      { name: 'd/absolute', type: '2', linkname: '/run/x' },
      { name: 'd/one', type: '1', linkname: 'd/below' },
      { name: 'd/empty', content: '' },
      { name: 'd/pipe', type: '6' },
    ],
  )
  const skipped: string[] = []
  const chunks: Uint8Array[] = []
  await using(name, async (image) => {
    for await (const bytes of image.tar('/d', { onSkip: ({ path }) => void skipped.push(path) })) chunks.push(bytes)
    await assert.rejects(image.tar('/none')[Symbol.asyncIterator]().next(), { code: 'PATH_NOT_FOUND' })
    const file: Uint8Array[] = []
    for await (const bytes of image.tar('d/below')) file.push(bytes)
    assert.deepEqual(untar(Buffer.concat(file)), [{ name: 'below', content: Buffer.from('below') }])
  })
  assert.deepEqual(skipped, ['d/pipe'])
  const { parent, out } = target()
  mkdirSync(out)
  const archive = join(parent, 'made.tar')
  writeFileSync(archive, Buffer.concat(chunks))
  const listed = execFileSync('tar', ['-tvf', archive, '--numeric-owner'], { encoding: 'utf8' })
  assert.match(listed, /^-rwsr-xr-x 0\/0 +30000 \S+ \S+ n{120}$/m)
  assert.match(listed, /^[-h]rw-r--r-- 1000\/100 +\d+ \S+ \S+ below$/m)
  execFileSync('tar', ['-xf', archive, '-C', out, '--no-same-owner'])
  assert.deepEqual(tree(out), {
    absolute: '-> /run/x',
    below: 'below',
    empty: '',
    one: 'below',
    [long.slice(2)]: noise(30_000, 'long').toString(),
  })
  assert.equal(statSync(join(out, 'one')).ino, statSync(join(out, 'below')).ino)
})

test('names that a system cannot distinguish: directories are merged, of others the first counts, and nothing is written through a link', async () => {
  // As where `A` and `a` are one: this one has both, so they have the same name here
  const { parent, out } = target()
  mkdirSync(join(parent, 'outside'))
  const entry = (type: string, more: object = {}) => ({ type, mode: 0o755, modTime: '', size: 1, ...more }) as FileEntry
  const layer = { digest: 'layer' } as OpenLayer
  const names = new Map<string, readonly Found[]>([
    [
      '',
      [
        { path: 'link', layer, entry: entry('symlink', { linkname: 'dir' }) },
        { path: 'link', layer, entry: entry('dir', { name: 'made' }) },
        { path: 'dir', layer, entry: entry('dir') },
        { path: 'dir', layer, entry: entry('dir', { name: 'second' }) },
        { path: 'file', layer, entry: entry('reg', { index: 1 }) },
        { path: 'file', layer, entry: entry('reg', { index: 2 }) },
        { path: 'dir', layer, entry: entry('reg', { index: 3 }) },
      ],
    ],
    ['link', [{ path: 'link/kept', layer, entry: entry('reg', { index: 4 }) }]],
  ])
  const ofDir = [5, 6].map((index, i) => ({
    path: `dir/${['once', 'twice'][i]}`,
    layer,
    entry: entry('reg', { index }),
  }))
  const source: ExtractSource = {
    union: {
      resolve: async () => ({ path: '', layer: undefined, entry: undefined }),
      children: async (path) => (path === 'dir' ? ofDir.splice(0, 1) : [...(names.get(path) ?? [])]),
      hardlinkTarget: async (found) => found,
    },
    layerOf: () => ({
      locate: async () => ({ start: 0, end: 1 }),
      async *readTogether(files) {
        for (const file of files) yield { file, bytes: Buffer.from(`${file.index}`) }
      },
    }),
  }
  const { skipped, files, directories } = await extractFiles(source, '/', out)
  assert.deepEqual(tree(out), { link: '/', 'link/kept': '4', dir: '/', 'dir/once': '5', 'dir/twice': '6', file: '1' })
  assert.deepEqual([files, directories], [4, 2])
  assert.deepEqual(skipped.map(({ path }) => path).sort(), ['dir', 'file', 'link'])
  assert.ok(
    skipped.every(({ reason }) => reason === 'this system cannot distinguish its name from that of another file'),
  )
})

test('a system without symlinks: they are skipped and counted, everything else is written', async () => {
  const name = await imageOf([
    { name: 'a', content: 'A' },
    { name: 'one', type: '2', linkname: 'a' },
    { name: 'two', type: '2', linkname: 'a' },
  ])
  await using(name, async (image) => {
    const source: ExtractSource = {
      union: {
        resolve: async () => ({ path: '', layer: undefined, entry: undefined }),
        children: async () =>
          (await image.list('/')).map(({ path, type }, index) => {
            const entry = {
              type: type === 'file' ? 'reg' : type,
              linkname: 'a',
              mode: 0o644,
              modTime: '',
              size: 1,
              index,
            }
            return { path, layer: { digest: 'layer' } as OpenLayer, entry: entry as FileEntry }
          }),
        hardlinkTarget: async (found) => found,
      },
      layerOf: () => ({
        locate: async () => ({ start: 0, end: 1 }),
        async *readTogether(files) {
          for (const file of files) yield { file, bytes: Buffer.from('A') }
        },
      }),
    }
    for (const code of ['EPERM', 'EACCES', 'ENOSYS', 'ENOTSUP']) {
      const symlink = async () => {
        throw Object.assign(new Error(code), { code })
      }
      const { out } = target()
      const { skipped, symlinks, files } = await extractFiles(source, '/', out, {}, { lstat, mkdir, symlink })
      assert.deepEqual([files, symlinks, tree(out)], [1, 0, { a: 'A' }], code)
      assert.deepEqual(
        skipped.map(({ path }) => path),
        ['one', 'two'],
      )
      assert.match(skipped[0]!.reason, /does not allow symlinks here .*developer mode/)
    }
    const symlink = async () => {
      throw Object.assign(new Error('EIO'), { code: 'EIO' })
    }
    const { out } = target()
    await assert.rejects(extractFiles(source, '/', out, {}, { lstat, mkdir, symlink }), { code: 'EIO' })
    assert.ok(!existsSync(out))
  })
})

test('where symlinks lead', () => {
  const cases: readonly (readonly [path: string, target: string, root: string, to: string | undefined])[] = [
    ['a', 'b', '', 'b'],
    ['a', './b//c/.', '', 'b/c'],
    ['d/e/a', '../b', '', '../b'],
    ['d/e/a', '../../../../b', '', '../../b'], // the root is above itself
    ['d/e/a', '/b', '', '../../b'],
    ['d/e/a', '/', '', '../..'],
    ['d/a', '.', '', '.'],
    ['d/e/a', '../b', 'd', '../b'],
    ['d/e/a', '../../b', 'd', undefined],
    ['d/e/a', '/d/x', 'd', '../x'],
    ['d/e/a', '/dx', 'd', undefined],
    ['d/e/a', '/', 'd', undefined],
    ['a', 'b/../c', '', undefined], // b may be a link
    ['a', '', '', undefined],
    ['a', 'b\0c', '', undefined],
  ]
  for (const [path, to, root, expected] of cases)
    assert.equal(relativeTarget(path, to, root), expected, JSON.stringify([path, to, root]))
})

test('spans are fetched in order, each once', async () => {
  // Two directories whose files alternate in the layer, several in a span, with others between them
  const entries: TarEntry[] = Array.from({ length: 60 }, (_, i) => ({
    name: `${i % 20 > 12 ? 'other' : 'wanted'}/${['x', 'y'][i % 2]}/${i}`,
    content: noise(i % 7 === 0 ? 9000 : 300, `${i}`),
  }))
  const name = await imageOf(entries, [{ name: 'wanted/top', content: noise(5000, 'top') }])
  const store = await openStore(name.replace(/:app-soci$/, ''))
  const fetched = new Map<string, { start: number; end: number }[]>()
  const counting = new Proxy<Store>(store, {
    get(of, property) {
      if (property === 'fetch')
        return (...[descriptor, options]: Parameters<Store['fetch']>) => {
          const { start, end } = options ?? {}
          if (start !== undefined && end !== undefined)
            fetched.set(descriptor.digest, [...(fetched.get(descriptor.digest) ?? []), { start, end }])
          return of.fetch(descriptor, options)
        }
      const value: unknown = Reflect.get(of, property)
      return typeof value === 'function' ? value.bind(of) : value
    },
  })
  const { out } = target()
  await using({ store: counting, reference: 'app-soci' }, async (image) => {
    const { files } = await image.extract('wanted', out)
    assert.equal(files, 40)
    const ranges = [...fetched.values()]
    assert.equal(ranges.length, 2, 'of both layers')
    for (const own of ranges)
      for (const [i, { start }] of own.entries())
        if (i > 0) assert.ok(start >= own[i - 1]!.end - 1, `${start} after ${own[i - 1]!.end}`) // neighbours may share a byte
    for (const [path, content] of Object.entries(tree(out)))
      if (content !== '/') assert.equal(content, Buffer.from(await image.read(`wanted/${path}`)).toString(), path)
  })
  await store.close()
})

test('when it fails or is aborted, nothing stays', async () => {
  const name = await imageOf([
    { name: 'a', content: noise(20_000, 'a') },
    { name: 'b', content: noise(20_000, 'b') },
  ])
  const { parent, out } = target()
  await using(name, async (image) => {
    const abort = new AbortController()
    const reason = new Error('enough')
    const onSkip = () => {}
    abort.abort(reason)
    await assert.rejects(image.extract('/', out, { signal: abort.signal, onSkip }), reason)
    assert.deepEqual(readdirSync(parent), [])
  })
  const path = name.slice('oci:'.length, -':app-soci'.length)
  await using(name, async (image) => {
    await image.list('/') // its zTOC is read, and then the layer is damaged at its end
    const blob = readdirSync(join(path, 'blobs', 'sha256'))
      .map((file) => join(path, 'blobs', 'sha256', file))
      .find((file) =>
        readFileSync(file)
          .subarray(0, 2)
          .equals(Buffer.from([0x1f, 0x8b])),
      )!
    const bytes = readFileSync(blob)
    bytes[bytes.length - 3000]! ^= 1
    writeFileSync(blob, bytes)
    await assert.rejects(image.extract('/', out), { code: 'SPAN_DIGEST_MISMATCH' })
  })
  assert.deepEqual(readdirSync(parent), [])
  assert.ok(!existsSync(out))
})

test('an abort at any moment, the last ones too, leaves nothing: not even the folders above', async () => {
  const name = await imageOf([
    { name: 'd/', mode: 0o500 },
    { name: 'd/e/', mode: 0o500 },
    { name: 'd/e/a', content: 'a' },
    { name: 'b', content: 'b' },
    { name: 'l', type: '2', linkname: 'b' },
  ])
  await using(name, async (image) => {
    for (const isThere of [true, false]) {
      let aborts = 0
      for (let done = false; !done; aborts++) {
        const { parent, out } = target()
        const folder = isThere ? out : join(parent, 'x', 'y', 'out')
        if (isThere) mkdirSync(out)
        const controller = new AbortController()
        const { signal } = controller
        let left = aborts
        signal.throwIfAborted = function () {
          if (left-- === 0) controller.abort(new Error('enough'))
          AbortSignal.prototype.throwIfAborted.call(this)
        }
        const outcome = await image.extract('/', folder, { signal }).catch((error) => error)
        done = !(outcome instanceof Error)
        if (done) assert.deepEqual(Object.keys(tree(folder)).sort(), ['b', 'd', 'd/e', 'd/e/a', 'l'])
        else assert.deepEqual(tree(parent), isThere ? { out: '/' } : {}, `abort ${aborts}`)
        assert.ok(aborts < 100)
      }
      assert.ok(aborts > 5, `${aborts}`)
    }
  })
})

test('a folder that is there stays itself, one that is made is as others', async () => {
  const name = await imageOf([
    { name: 'a', content: 'a' },
    { name: 'd/', mode: 0o500 },
  ])
  const { parent, out } = target()
  const there = join(parent, 'there')
  mkdirSync(there, 0o750)
  symlinkSync('there', join(parent, 'link'))
  const { ino } = statSync(there)
  await using(name, async (image) => {
    await image.extract('/', join(parent, 'link'))
    await image.extract('/', out)
  })
  for (const made of [there, out]) assert.deepEqual(tree(made), { a: 'a', d: '/' })
  assert.deepEqual([statSync(there).ino, statSync(there).mode & 0o777], [ino, 0o750])
  assert.equal(statSync(out).mode & 0o777, 0o777 & ~process.umask())
  assert.equal(statSync(join(out, 'd')).mode & 0o777, 0o500)
  assert.deepEqual(readdirSync(parent).sort(), ['link', 'out', 'there'])
})
