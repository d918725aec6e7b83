// Converted images where they have to work: pulled by the real containerd with the real SOCI snapshotter, every file read through the
// mount. containerd's own whole pull of the source says what must be there.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { type ConvertOptions, convert, copyImage, type Profile } from '../src/index.js'
import { TestFolder } from './support/folder.js'
import { OCI_CONFIG, OCI_GZIP } from './support/layout.js'
import { doubles } from './support/registries.js'
import { noise, type TarEntry, tar } from './support/tar.js'

/** Text that deflate makes many blocks of, each of which may begin a span. */
const text = (size: number, seed: string): string =>
  noise(Math.ceil((size * 3) / 4), seed)
    .toString('base64')
    .slice(0, size)

const BOTTOM: readonly TarEntry[] = [
  { name: 'etc/', mode: 0o755 },
  { name: 'etc/passwd', content: 'root:x:0:0:root:/root:/bin/sh\n' },
  { name: 'etc/group', content: 'root:x:0:\n' },
  { name: 'usr/', mode: 0o755, pax: { mtime: '1700000000.123456789' } },
  { name: 'usr/bin/', mode: 0o755 },
  { name: 'usr/bin/app', content: text(300_000, 'app'), mode: 0o4755, pax: { mtime: '1700000001.5', uid: '70000' } },
  { name: 'usr/bin/tool', type: '2', linkname: 'app', mode: 0o777 },
  { name: 'bin', type: '2', linkname: 'usr/bin', mode: 0o777 },
  { name: 'usr/lib/', mode: 0o755 },
  { name: 'usr/lib/large.so', content: text(2_000_000, 'large') },
  ...Array.from({ length: 40 }, (_, i) => ({ name: `usr/lib/m${i}.py`, content: text(1 + i * 1500, `module ${i}`) })),
  { name: 'usr/lib/cold.bin', content: text(1_500_000, 'cold') },
  { name: 'usr/lib/empty', content: '' },
  { name: 'data/', mode: 0o700 },
  { name: 'data/a', content: text(50_000, 'linked') },
  { name: 'data/b', type: '1', linkname: 'data/a' },
  { name: 'gone', content: 'deleted above' },
  { name: 'opaque/', mode: 0o755 },
  { name: 'opaque/below', content: 'hidden above' },
]
const TOP: readonly TarEntry[] = [
  { name: '.wh.gone' },
  { name: 'opaque/', mode: 0o711 },
  { name: 'opaque/.wh..wh..opq' },
  { name: 'opaque/own', content: text(80_000, 'own') },
  { name: 'usr/', mode: 0o755, pax: { mtime: '1700000000.123456789' } },
  { name: 'usr/lib/', mode: 0o755 },
  { name: 'usr/lib/m3.py', content: 'replaced above\n' },
  { name: 'app/', mode: 0o755 },
  { name: 'app/main.py', content: text(200_000, 'main'), mode: 0o600, xattrs: { 'user.note': 'kept' } },
]
const PROFILE: Profile = {
  version: 1,
  files: [
    { path: '/bin/tool' },
    ...Array.from({ length: 20 }, (_, i) => ({ path: `/usr/lib/m${i}.py` })),
    {
      path: '/usr/lib/large.so',
      ranges: [
        [0, 131_072],
        [900_000, 1_100_000],
      ],
    },
    { path: '/data/b' },
    { path: '/app/main.py' },
    { path: '/opaque/own' },
    { path: '/opaque/below' },
    { path: '/gone' },
  ],
}

const OPTIONS: ConvertOptions = { minLayerSize: 1, spanSize: 100_000 }

/** What bench/startup builds and runs; no package, so by its place in the workspace. */
interface Startup {
  whyNot(): string | undefined
  areBuilt(): boolean
  startupParts(): object
  coldStart(start: Record<string, unknown>): Promise<Record<string, { lazy: number }>>
}

async function startup(): Promise<Startup> {
  const load = async (file: string) =>
    (await import(new URL(`../../../../bench/startup/${file}.mjs`, import.meta.url).href)) as object
  return Object.assign({}, await load('parts'), await load('measure')) as Startup
}

const folder = new TestFolder()

test('converted images, mounted lazily by the real snapshotter, have every byte and attribute of the source', async (t) => {
  const { whyNot, areBuilt, startupParts, coldStart } = await startup()
  const notBuilt =
    'containerd and the SOCI snapshotter are not built yet: node bench/startup/parts.mjs takes some minutes'
  const reason = whyNot() ?? (areBuilt() ? undefined : notBuilt)
  if (reason !== undefined) {
    if (process.env.CI === 'true') throw new Error(reason)
    return t.skip(reason)
  }
  const parts = startupParts()
  const registry = await (await doubles()).startDockerRegistry(t)
  if (registry === undefined) return
  const source = `${registry.host}/app:source`
  await copyImage(`oci:${image()}`, source)

  const files = async (ref: string, lazy: number) => {
    const entries: Record<string, unknown> = {}
    const onEvent = ({ event, path, ...entry }: { event: string; path: string }) => {
      if (event === 'entry') entries[path] = entry
    }
    const snapshotter = lazy > 0 ? '[prefetch]\nenable = true\n' : undefined
    const { pulled } = await coldStart({ parts, image: ref, snapshotter, list: true, inMemory: true, onEvent })
    assert.equal(pulled!.lazy, lazy, `layers of ${ref} that are mounted lazily`)
    return entries
  }
  const expected = await files(source, 0)
  assert.ok(Object.keys(expected).length > 50)
  for (const [name, options] of Object.entries<ConvertOptions>({
    plain: {},
    profiled: { profile: PROFILE },
    'without-start-layer': { profile: PROFILE, startLayer: 'none' },
    'gzip-and-limit': { profile: PROFILE, startLayer: 'gzip', startLayerLimit: 60_000 },
  })) {
    await t.test(name, async () => {
      const converted = `${registry.host}/app:${name}`
      await convert(source, converted, { ...OPTIONS, ...options })
      assert.deepEqual(await files(converted, 2), expected)
    })
  }
})

function image(): string {
  return folder.layout((layout) => {
    const platform = { architecture: process.arch === 'x64' ? 'amd64' : process.arch, os: 'linux' }
    const tars = [tar(BOTTOM), tar(TOP)]
    const diffIds = tars.map((bytes) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`)
    const rootfs = { type: 'layers', diff_ids: diffIds }
    const config = layout.json({ ...platform, config: {}, rootfs }, OCI_CONFIG)
    const layers = tars.map((bytes) => layout.blob(gzipSync(bytes, { level: 6 }), OCI_GZIP))
    layout.top(layout.manifest(layers, platform, { platform }, { config }))
  })
}
