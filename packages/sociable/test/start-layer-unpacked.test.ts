// An image with a start layer, unpacked by other tools, is the source's tree in every attribute.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { convert, type Profile } from '../src/index.js'
import { blobJson, TestFolder } from './support/folder.js'
import { OCI_CONFIG, OCI_GZIP } from './support/layout.js'
import { doubles } from './support/registries.js'
import { gzip, noise, type TarEntry, tar } from './support/tar.js'

const folder = new TestFolder()
/** cap_net_bind_service+ep as the kernel has it (struct vfs_cap_data, revision 2). */
const CAPABILITY = `\u0001\0\0\u0002\0\u0004\0\0${'\0'.repeat(12)}`
const LONG = `${'long-folder-name/'.repeat(12)}file`

const LAYERS: readonly (readonly TarEntry[])[] = [
  [
    { name: './', mode: 0o755 },
    { name: 'usr/', mode: 0o755, pax: { mtime: '1700000000.123456789' } },
    { name: 'usr/bin/', mode: 0o2755 },
    {
      name: 'usr/bin/ping',
      content: noise(70_000, 'ping'),
      mode: 0o4755,
      xattrs: { 'security.capability': CAPABILITY, 'user.note': 'kept' },
      pax: { mtime: '1700000001.500000001' },
    },
    {
      name: 'usr/bin/same',
      type: '1',
      linkname: 'usr/bin/ping',
      mode: 0o4755,
      pax: { mtime: '1700000001.500000001' },
    },
    { name: 'bin', type: '2', linkname: 'usr/bin', mode: 0o777 },
    { name: 'usr/lib/', mode: 0o700 },
    { name: 'usr/lib/libx.so.1.2', content: noise(900, 'x') },
    { name: 'usr/lib/libx.so.1', type: '2', linkname: 'libx.so.1.2', mode: 0o777 },
    { name: 'etc/', mode: 0o755 },
    { name: 'etc/passwd', content: 'root:x:0:0::/:/bin/sh\n' },
    { name: 'etc/old', content: 'old' },
    { name: 'data/', mode: 0o1777 },
    { name: 'data/one', content: 'linked', mode: 0o640 },
    { name: 'data/two', type: '1', linkname: 'data/one', mode: 0o640 },
    { name: 'data/three', type: '1', linkname: 'data/one', mode: 0o640 },
    { name: 'opaque/' },
    { name: 'opaque/below', content: 'below' },
    { name: 'empty', content: '' },
    { name: 'caf\u00e9/', mode: 0o750 },
    { name: 'caf\u00e9/na\u00efve', content: 'names that are not ASCII' },
    { name: 'pipe', type: '6' },
    ...LONG.split('/').flatMap((_, i, parts): TarEntry[] =>
      i === 0 || i === parts.length ? [] : [{ name: 'long/', pax: { path: `${parts.slice(0, i).join('/')}/` } }],
    ),
    { name: 'long', content: 'behind a long path', pax: { path: LONG, mtime: '-1.25' } },
  ],
  [
    { name: 'etc/', mode: 0o755 },
    { name: 'data/', mode: 0o1777 },
    { name: 'etc/passwd', content: 'root:x:0:0::/root:/bin/sh\n', mode: 0o600 },
    { name: 'etc/.wh.old' },
    { name: 'data/.wh.three' },
    { name: 'opaque/', mode: 0o711, pax: { mtime: '1700000003.25' } },
    { name: 'opaque/.wh..wh..opq' },
    { name: 'opaque/own', content: 'own' },
  ],
]
const PROFILE: Profile = {
  version: 1,
  files: [
    ...['/bin/ping', '/usr/lib/libx.so.1', '/etc/passwd', '/etc/old', '/data/two', '/opaque/own', '/opaque/below'],
    ...['/empty', '/caf\u00e9/na\u00efve', '/pipe', '/data', `/${LONG}`],
  ].map((path) => ({ path })),
}

const source = folder.layout((layout) => {
  const tars = LAYERS.map((entries) => tar(entries))
  const config = layout.json(
    {
      architecture: 'amd64',
      os: 'linux',
      config: {},
      rootfs: {
        type: 'layers',
        diff_ids: tars.map((bytes) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`),
      },
    },
    OCI_CONFIG,
  )
  const layers = tars.map((bytes) => layout.blob(gzip(bytes), OCI_GZIP))
  layout.top(
    layout.manifest(
      layers,
      { architecture: 'amd64', os: 'linux' },
      { annotations: { 'org.opencontainers.image.ref.name': 'one' } },
      { config },
    ),
  )
})

/** The result's layout, with the platform's manifest as its only image: these tools look for it no further. */
async function convertedTo(startLayer: 'zstd' | 'gzip'): Promise<string> {
  const path = folder.fresh()
  const options = { minLayerSize: 0, spanSize: 2000, profile: PROFILE, startLayer }
  const { images } = await convert(`oci:${source}`, `oci:${path}:a`, options)
  assert.ok(images[0]!.startLayer!.files! >= 8)
  const { mediaType, digest, size } = images[0]!.manifest
  assert.equal(blobJson(path, digest).layers.length, 3)
  const descriptor = { mediaType, digest, size, annotations: { 'org.opencontainers.image.ref.name': 'one' } }
  writeFileSync(join(path, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [descriptor] }))
  return path
}

const TREE = `
import hashlib, os, stat, sys
root, inodes, lines = sys.argv[1], {}, []
for folder, folders, files in os.walk(root):
    for name in sorted(folders + files) + (['.'] if folder == root else []):
        path = os.path.join(folder, name)
        info = os.lstat(path)
        relative = os.path.relpath(path, root)
        first = inodes.setdefault((info.st_dev, info.st_ino), relative)
        content = ''
        if stat.S_ISLNK(info.st_mode): content = os.readlink(path)
        elif stat.S_ISREG(info.st_mode): content = hashlib.sha256(open(path, 'rb').read()).hexdigest()
        attributes = {key: os.getxattr(path, key, follow_symlinks=False).hex() for key in os.listxattr(path, follow_symlinks=False)}
        size = 0 if stat.S_ISDIR(info.st_mode) else info.st_size
        links = 0 if stat.S_ISDIR(info.st_mode) else info.st_nlink
        lines.append((relative, oct(info.st_mode), info.st_uid, info.st_gid, info.st_mtime_ns, size, links, content, sorted(attributes.items()), first))
print('\\n'.join(map(repr, sorted(lines))))
`
/** Of the root itself the time is left out: tools change it with what they do in it. */
function treeOf(path: string): string[] {
  const lines = execFileSync('python3', ['-c', TREE, path], { encoding: 'utf8' }).trim().split('\n')
  return lines.filter((line) => !line.startsWith("('.'"))
}

async function toolAsRoot(t: TestContext, name: string): Promise<string | undefined> {
  if (process.getuid?.() === 0) return await (await doubles()).tool(t, name)
  t.skip('only root can unpack owners and capabilities')
  return undefined
}

test('umoci, with a gzip start layer', async (t) => {
  const umoci = await toolAsRoot(t, 'umoci')
  if (umoci === undefined) return
  const unpack = (layout: string): string[] => {
    const bundle = folder.fresh()
    execFileSync(umoci, ['unpack', '--image', `${layout}:one`, bundle], { stdio: 'pipe' })
    return treeOf(join(bundle, 'rootfs'))
  }
  const expected = unpack(source)
  assert.ok(expected.length > 30 && expected.some((line) => line.includes('security.capability')))
  assert.deepEqual(unpack(await convertedTo('gzip')), expected)
})

test('buildah, with a zstd start layer', async (t) => {
  const buildah = await toolAsRoot(t, 'buildah')
  if (buildah === undefined) return
  const unpack = (layout: string): string[] => {
    const store = folder.fresh()
    const run = (...args: string[]): string => {
      const storage = ['--root', join(store, 'root'), '--runroot', join(store, 'run'), '--storage-driver', 'vfs']
      // The image gets the layout's path as its name, where capitals are refused
      return execFileSync(buildah, [...storage, ...args], { cwd: folder.path, encoding: 'utf8', stdio: 'pipe' }).trim()
    }
    const container = run('from', `oci:${basename(layout)}:one`)
    try {
      return treeOf(run('mount', container))
    } finally {
      run('umount', container)
      run('rm', container)
    }
  }
  const expected = unpack(source)
  assert.ok(expected.length > 30 && expected.some((line) => line.includes('security.capability')))
  assert.deepEqual(unpack(await convertedTo('zstd')), expected)
})

test('the image has the same digest on another version of Node', async (t) => {
  const { ensureNode } = (await import(new URL('../../../../scripts/tools.mjs', import.meta.url).href)) as {
    ensureNode(major: string): string
  }
  let other: string
  try {
    other = ensureNode('24')
  } catch (error) {
    if (process.env.CI === 'true') throw error
    return t.skip((error as Error).message)
  }
  const script = `
    const { convert } = await import(${JSON.stringify(new URL('../src/index.js', import.meta.url).href)})
    for (const startLayer of ['zstd', 'gzip']) {
      const options = { minLayerSize: 0, spanSize: 2000, profile: ${JSON.stringify(PROFILE)}, startLayer }
      const { digest } = await convert('oci:${source}', 'oci:' + process.argv[1] + startLayer + ':a', options)
      console.log(digest)
    }`
  const run = (node: string): string =>
    execFileSync(node, ['--input-type=module', '-e', script, folder.fresh()], { encoding: 'utf8' })
  const expected = run(process.execPath)
  assert.match(expected, /^sha256:\w+\nsha256:\w+\n$/)
  assert.equal(run(other), expected)
})
