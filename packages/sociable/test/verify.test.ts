import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { openStore, type Store } from '@sociable/oci'
import { decodeZtoc } from '@sociable/ztoc'
import { convert, copyImage, createIndex, type FindingCode, type VerifyOptions, verify } from '../src/index.js'
import { run } from './cli/run.js'
import { faultyStore } from './support/faulty-store.js'
import { TestFolder } from './support/folder.js'
import { OCI_CONFIG, OCI_GZIP } from './support/layout.js'
import { startRegistry } from './support/registries.js'
import { AMD64, ARM64, attestation, layer, NAMED_APP, SMALL } from './support/samples.js'
import { gzip, noise, tar } from './support/tar.js'

const folder = new TestFolder()
const sound = folder.layout((layout) => {
  const layer = (seed: string) =>
    layout.blob(
      gzip(
        tar([
          { name: `${seed}/` },
          { name: `${seed}/f`, content: noise(9000, seed) },
          { name: `${seed}/g`, content: noise(500, seed) },
        ]),
      ),
      OCI_GZIP,
    )
  const manifests = [AMD64, ARM64].map((platform, i) =>
    layout.manifest([layer('shared'), layer(`own${i}`)], platform, { platform }),
  )
  layout.top(layout.imageIndex(manifests, {}, NAMED_APP))
})
const converted = await convert(`oci:${sound}:app`, undefined, SMALL)
const [amd64] = converted.images
const [first, second] = amd64!.layers

const codes = ({ findings }: { readonly findings: readonly { readonly code: FindingCode }[] }) => [
  ...new Set(findings.map(({ code }) => code)),
]
const blob = (path: string, digest: string) => join(path, 'blobs', 'sha256', digest.slice(7))

/** A copy of the sound layout, damaged. */
function damaged(damage: (path: string) => void): string {
  const path = folder.fresh()
  cpSync(sound, path, { recursive: true })
  damage(path)
  return path
}

function flip(path: string, digest: string, at: number): void {
  const bytes = readFileSync(blob(path, digest))
  const index = at < 0 ? bytes.length + at : at
  bytes[index] = bytes[index]! ^ 1
  writeFileSync(blob(path, digest), bytes)
}

test('a sound conversion has no finding, deep or not; an image without an index has a warning', async () => {
  for (const deep of [false, true]) {
    const result = await verify(`oci:${sound}:app-soci`, { deep })
    assert.deepEqual([result.sound, result.findings, result.layers], [true, [], 3])
  }
  const plain = await verify(`oci:${sound}:app`)
  assert.deepEqual([plain.sound, codes(plain)], [true, ['NO_INDEX']])
})

test('a v1 index has warnings: it is ignored, and not covered', async () => {
  const path = damaged(() => {})
  await createIndex(`oci:${path}:app`, SMALL)
  const v1 = await verify(`oci:${path}:app`, { deep: true })
  assert.deepEqual([v1.sound, codes(v1)], [true, ['INDEX_IGNORED', 'NOT_COVERED']])
})

for (const [name, damage, expected] of [
  ['a byte of a layer', (path) => flip(path, first!.digest, 2000), ['CONTENT_DAMAGED']],
  ['the end of a layer is missing', (path) => truncateSync(blob(path, first!.digest), 1000), ['CONTENT_DAMAGED']],
  ['a layer is missing', (path) => rmSync(blob(path, second!.digest)), ['CONTENT_MISSING']],
  ['a byte of a zTOC', (path) => flip(path, first!.ztoc!.digest, 500), ['CONTENT_DAMAGED']],
  ['a zTOC is missing', (path) => rmSync(blob(path, first!.ztoc!.digest)), ['CONTENT_MISSING']],
  ['a byte of a manifest', (path) => flip(path, amd64!.manifest.digest, 100), ['CONTENT_DAMAGED']],
] as const satisfies readonly [string, (path: string) => void, readonly FindingCode[]][])
  test(`damage is found: ${name}`, async () => {
    const result = await verify(`oci:${damaged(damage)}:app-soci`)
    assert.equal(result.sound, false)
    assert.deepEqual(codes(result), expected)
  })

/** Puts changed bytes in a blob's place, and new digests into all that names it. */
function replaceEverywhere(path: string, digest: string, bytes: Uint8Array, name = 'app-soci'): void {
  const renew = (old: string, content: Uint8Array): void => {
    const hex = createHash('sha256').update(content).digest('hex')
    writeFileSync(join(path, 'blobs', 'sha256', hex), content)
    const size = readFileSync(blob(path, old)).length
    for (const parent of parents(path, old, name)) {
      const text = readFileSync(parent.file, 'utf8')
      const renamed = text
        .replaceAll(old, `sha256:${hex}`)
        .replaceAll(`"sha256:${hex}","size":${size}`, `"sha256:${hex}","size":${content.length}`)
      if (parent.digest === undefined) writeFileSync(parent.file, renamed)
      else renew(parent.digest, Buffer.from(renamed))
    }
  }
  renew(digest, bytes)
}

function parents(path: string, digest: string, name: string): { readonly file: string; readonly digest?: string }[] {
  const index = JSON.parse(readFileSync(join(path, 'index.json'), 'utf8'))
  const found = new Map<string, { file: string; digest?: string }>()
  const visit = (file: string, own: string | undefined): void => {
    const text = readFileSync(file, 'utf8')
    if (text.includes(`"digest":"${digest}"`) || text.includes(`digest":"${digest}"`))
      found.set(file, { file, ...(own !== undefined && { digest: own }) })
    for (const child of JSON.parse(text).manifests ?? []) visit(blob(path, child.digest), child.digest)
  }
  const entry = index.manifests.find(
    ({ annotations }: { annotations?: Record<string, string> }) =>
      annotations?.['org.opencontainers.image.ref.name'] === name,
  )
  writeFileSync(join(path, 'index.json'), JSON.stringify({ ...index, manifests: [entry] }))
  visit(join(path, 'index.json'), undefined)
  return [...found.values()]
}

test('a zTOC that lists other files than the layer has is found by --deep only', async () => {
  const path = damaged((path) => {
    const bytes = readFileSync(blob(path, first!.ztoc!.digest))
    const at = bytes.lastIndexOf('shared/g') // not in a window, which has pieces of the tar
    assert.ok(at > 0)
    bytes.write('shared/x', at)
    replaceEverywhere(path, first!.ztoc!.digest, bytes)
  })
  assert.deepEqual((await verify(`oci:${path}:app-soci`)).findings, [])
  const deep = await verify(`oci:${path}:app-soci`, { deep: true })
  assert.deepEqual([deep.sound, codes(deep)], [false, ['FILES_DIFFER']])
})

test('a zTOC with the digest of another span is found', async () => {
  const path = damaged((path) => {
    const bytes = readFileSync(blob(path, first!.ztoc!.digest))
    const at = bytes.indexOf('sha256:')
    bytes[at + 7] = bytes[at + 7] === 0x61 ? 0x62 : 0x61
    replaceEverywhere(path, first!.ztoc!.digest, bytes)
  })
  const result = await verify(`oci:${path}:app-soci`)
  assert.deepEqual([result.sound, codes(result)], [false, ['SPAN_DIFFERS']])
})

/** JSON of a document, changed, with new digests in all that leads to it. */
// biome-ignore lint/suspicious/noExplicitAny: tests change documents of any shape
function edit(path: string, digest: string, change: (document: any) => unknown, name?: string): void {
  const document = JSON.parse(readFileSync(blob(path, digest), 'utf8'))
  replaceEverywhere(path, digest, Buffer.from(JSON.stringify(change(document) ?? document)), name)
}

async function found(path: string, options: VerifyOptions & { readonly tag?: string } = {}) {
  return codes(await verify(`oci:${path}:${options.tag ?? 'app-soci'}`, options))
}

/** Bytes that have references all over: zlib decodes no block of them without the window before it. */
const text = Buffer.from(noise(200_000, 'text').toString('hex'))

test('a checkpoint with a wrong window is found by --deep only', async () => {
  const path = folder.layout((layout) => {
    const bytes = gzipSync(tar([{ name: 'text', content: Buffer.concat([text, text.subarray(0, 30_000), text]) }]))
    layout.top(layout.manifest([layout.blob(bytes, OCI_GZIP)], AMD64, NAMED_APP))
  })
  const { images } = await convert(`oci:${path}:app`, undefined, { ...SMALL, spanSize: 50_000 })
  const { digest } = images[0]!.layers[0]!.ztoc!
  const bytes = readFileSync(blob(path, digest))
  const { window } = decodeZtoc(bytes).checkpoints.at(3)!
  const at = bytes.indexOf(window)
  assert.ok(at > 0)
  for (let i = 0; i < window.length; i++) bytes[at + i] = bytes[at + i]! ^ 1
  replaceEverywhere(path, digest, bytes)
  assert.deepEqual(await found(path), [])
  assert.deepEqual(await found(path, { deep: true }), ['CHECKPOINT_DIFFERS'])
})

test('a checkpoint with a wrong bit offset is found by --deep only', async () => {
  const path = folder.layout((layout) => {
    const bytes = gzipSync(tar([{ name: 'text', content: Buffer.concat([text, text]) }]))
    layout.top(layout.manifest([layout.blob(bytes, OCI_GZIP)], AMD64, NAMED_APP))
  })
  const { images } = await convert(`oci:${path}:app`, undefined, { ...SMALL, spanSize: 50_000 })
  const { digest } = images[0]!.layers[0]!.ztoc!
  const bytes = readFileSync(blob(path, digest))
  const toc = decodeZtoc(bytes)
  const index = [...toc.checkpoints].findIndex(({ bits }, i) => i > 0 && bits > 1)
  const at = bytes.indexOf(toc.checkpoints.at(index)!.window) - 1
  assert.equal(bytes[at], toc.checkpoints.at(index)!.bits)
  bytes[at] = bytes[at]! - 1
  replaceEverywhere(path, digest, bytes)
  assert.deepEqual(await found(path), [])
  assert.deepEqual(await found(path, { deep: true }), ['CHECKPOINT_DIFFERS'])
})

const PROFILE = { version: 1, files: [{ path: '/shared/g' }, { path: '/own0/f' }, { path: '/shared/link' }] } as const

/** An image of one platform with a start layer in gzip, whose tar is changed. */
async function withStartLayer(change: (archive: Buffer) => unknown): Promise<string> {
  const path = folder.layout((layout) => {
    const entries = [
      { name: 'shared/' },
      { name: 'shared/g', content: noise(500, 'g'), xattrs: { 'user.note': 'kept' } },
      { name: 'shared/link', type: '2', linkname: 'g' },
      { name: 'own0/' },
      { name: 'own0/f', content: noise(9000, 'f') },
    ]
    const bytes = tar(entries)
    const diffId = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
    const config = layout.json({ ...AMD64, config: {}, rootfs: { type: 'layers', diff_ids: [diffId] } }, OCI_CONFIG)
    layout.top(layout.manifest([layout.blob(gzip(bytes), OCI_GZIP)], AMD64, NAMED_APP, { config }))
  })
  const { images } = await convert(`oci:${path}:app`, `oci:${path}:fast`, {
    ...SMALL,
    profile: PROFILE,
    startLayer: 'gzip',
  })
  const { digest } = images[0]!.startLayer!
  const archive = gunzipSync(readFileSync(blob(path, digest)))
  change(archive)
  replaceEverywhere(path, digest, gzipSync(archive), 'fast')
  return path
}

/** Changes the header of an entry, and its checksum. */
function editHeader(archive: Buffer, name: string, change: (header: Buffer) => unknown): void {
  const at = headerAt(archive, name)
  const header = archive.subarray(at, at + 512)
  change(header)
  header.write('        ', 148, 'latin1')
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
}

function headerAt(archive: Buffer, name: string): number {
  for (let at = 0; at < archive.length; at += 512)
    if (archive.toString('latin1', at, at + 100).split('\0')[0] === name) return at
  throw new Error(`no entry ${name}`)
}

test('a start layer as it was made has no finding', async () => {
  const path = await withStartLayer(() => {})
  assert.deepEqual(await found(path, { tag: 'fast', deep: true }), [])
})

for (const [name, change, message] of [
  ['bytes of a file', (tar) => tar.set([1, 2, 3], headerAt(tar, 'own0/f') + 600), /own0\/f has other bytes/],
  [
    'the mode of a file',
    (tar) => editHeader(tar, 'own0/f', (at) => at.write('0000600', 100)),
    /own0\/f has the mode 600, .* 644/,
  ],
  [
    'the owner of a folder',
    (tar) => editHeader(tar, 'shared/', (at) => at.write('0000007', 108)),
    /shared has the owner 7:0, .* 0:0/,
  ],
  [
    'the time of a folder',
    (tar) => editHeader(tar, 'own0/', (at) => at.write('00000000001', 136)),
    /own0 has the time 1970/,
  ],
  ['an extended attribute', (tar) => tar.write('lost', tar.indexOf('kept')), /shared\/g has the attribute user.note/],
  [
    'the target of a symlink',
    (tar) => editHeader(tar, 'shared/link', (at) => at.write('h', 157)),
    /shared\/link has the target h, .* g/,
  ],
  [
    'a path that is nowhere else',
    (tar) => editHeader(tar, 'own0/f', (at) => at.write('own0/x', 0)),
    /own0\/x is not in the layers below/,
  ],
  [
    'the type of an entry',
    (tar) => editHeader(tar, 'shared/link', (at) => at.write('6', 156)),
    /shared\/link is a fifo, in the layers below a symlink/,
  ],
  ['a whiteout', (tar) => editHeader(tar, 'shared/link', (at) => at.write('shared/.wh.g', 0)), /shared\/g is removed/],
] as const satisfies readonly [string, (tar: Buffer) => unknown, RegExp][])
  test(`a start layer that differs is found: ${name}`, async () => {
    const path = await withStartLayer(change)
    const { sound, findings } = await verify(`oci:${path}:fast`)
    assert.equal(sound, false)
    assert.ok(
      findings.every(({ code }) => code === 'START_LAYER_DIFFERS'),
      JSON.stringify(findings),
    )
    assert.match(findings.map(({ message }) => message).join('\n'), message)
  })

test('a SOCI index that is the other platform’s is found', async () => {
  const [one, other] = converted.images.map(({ index }) => index!.digest)
  const path = damaged((path) =>
    edit(path, amd64!.manifest.digest, (manifest) => {
      manifest.annotations['com.amazon.soci.index-digest'] = other
    }),
  )
  assert.notEqual(one, other)
  const { findings } = await verify(`oci:${path}:app-soci`)
  assert.deepEqual(codes({ findings }), ['LINK_BROKEN'])
  const messages = findings.map(({ message }) => message).join('\n')
  assert.match(messages, new RegExp(`names SOCI index ${other}, its entry in the image index ${one}`))
  assert.match(messages, /says it is of manifest/)
  assert.match(messages, /zTOC .*: the image has no such layer/)
})

test('the zTOCs of two layers that are swapped are found', async () => {
  const index = amd64!.index!.digest
  const path = damaged((path) =>
    edit(path, index, (document) => {
      const [a, b] = document.layers
      ;[a.annotations, b.annotations] = [b.annotations, a.annotations]
    }),
  )
  const { sound, findings } = await verify(`oci:${path}:app-soci`, { platforms: ['linux/amd64'] })
  assert.equal(sound, false)
  assert.ok(findings.length >= 2 && findings.every(({ code }) => ['ZTOC_INVALID', 'SPAN_DIFFERS'].includes(code)))
})

test('the tool of an index is a warning, until --deep has proved it', async () => {
  const path = damaged(() => {})
  await convert(`oci:${path}:app`, `oci:${path}:aws`, { ...SMALL, buildTool: 'AWS SOCI CLI v0.2' })
  const shallow = await verify(`oci:${path}:aws`)
  assert.deepEqual([shallow.sound, codes(shallow)], [true, ['TOOL_UNKNOWN']])
  assert.deepEqual(await found(path, { tag: 'aws', deep: true }), [])
})

test('a platform that is listed but not there is a warning', async () => {
  const arm64 = converted.images[1]!
  const path = damaged((path) => rmSync(blob(path, arm64.manifest.digest)))
  const result = await verify(`oci:${path}:app-soci`)
  assert.deepEqual([result.sound, codes(result)], [true, ['CONTENT_ABSENT']])
  assert.equal(result.findings[0]!.platform, 'linux/arm64/v8')
})

test('zTOCs that a runtime cannot load are found: cut off, of no format, or with entries that overlap', async () => {
  const { digest } = first!.ztoc!
  const bytes = readFileSync(blob(sound, digest))
  const overlapping = Buffer.from(bytes)
  const size = Buffer.alloc(8)
  size.writeBigInt64LE(9000n) // of shared/f, as the zTOC has it
  const at = overlapping.indexOf(size)
  assert.ok(at > 0 && overlapping.indexOf(size, at + 1) < 0)
  overlapping.writeBigInt64LE(9900n, at)
  for (const [content, message] of [
    [bytes.subarray(0, bytes.length >> 1), /zTOC .*: /],
    [Buffer.from('{}'), /zTOC .*: /],
    [
      overlapping,
      /a runtime cannot load it: entry "shared\/g" starts at 10752 of the tar, before the end of the one before it at 11264/,
    ],
  ] as const) {
    const path = damaged((path) => replaceEverywhere(path, digest, content))
    const result = await verify(`oci:${path}:app-soci`)
    assert.deepEqual([result.sound, codes(result)], [false, ['ZTOC_INVALID']])
    assert.match(result.findings[0]!.message, message)
  }
})

test('prefetch lists are checked against the spans of their layers', async () => {
  const source = damaged(() => {})
  const { images } = await convert(`oci:${source}:app`, `oci:${source}:pre`, { ...SMALL, prefetchFiles: ['shared/g'] })
  assert.deepEqual(await found(source, { tag: 'pre' }), [])
  const index = JSON.parse(readFileSync(blob(source, images[0]!.index!.digest), 'utf8'))
  const { digest } = index.layers.find(({ mediaType }: { mediaType: string }) => mediaType.includes('prefetch'))
  const list = (start_span: number, end_span: number) =>
    JSON.stringify({ version: '1.0', prefetch_spans: [{ start_span, end_span }] })
  for (const content of [list(0, 99), list(2, 1), list(-1, 1), '{"version":"1.0"}', 'no JSON']) {
    const path = folder.fresh()
    cpSync(source, path, { recursive: true })
    replaceEverywhere(path, digest, Buffer.from(content), 'pre')
    assert.deepEqual([content, await found(path, { tag: 'pre' })], [content, ['ZTOC_INVALID']])
  }
})

test('an entry without a platform beside its SOCI index is found', async () => {
  const path = folder.layout((layout) => layout.top(layout.manifest([layer(layout, 'a')], AMD64, NAMED_APP)))
  const { digest } = await convert(`oci:${path}:app`, undefined, SMALL)
  edit(path, digest, (index) => {
    delete index.manifests[0].platform
  })
  const result = await verify(`oci:${path}:app-soci`)
  assert.deepEqual([result.sound, codes(result)], [false, ['PLATFORM_MISSING']])
})

test('a SOCI index that the snapshotter cannot store under its digest is found', async () => {
  const path = damaged((path) => edit(path, amd64!.index!.digest, ({ config, ...rest }) => ({ ...rest, config })))
  const result = await verify(`oci:${path}:app-soci`, { deep: true })
  assert.deepEqual([result.sound, codes(result)], [false, ['INDEX_UNLOADABLE']])
})

test('a v2 index that a copy left behind is found', async () => {
  const v2 = damaged((path) => {
    const { digest } = converted.images[0]!.index!
    edit(path, converted.digest, (index) => {
      index.manifests = index.manifests.filter((entry: { digest: string }) => entry.digest !== digest)
    })
    rmSync(blob(path, digest))
  })
  assert.deepEqual((await found(v2)).toSorted(), ['LEFT_BEHIND', 'LINK_BROKEN'])
})

test('a SOCI index and another referrer that a registry lists, but does not have', async (t) => {
  const registry = await startRegistry(t, 'docker-registry')
  if (registry === undefined) return
  const source = folder.layout((layout) => {
    const image = layout.manifest([layer(layout, 'a')], AMD64, NAMED_APP)
    const { mediaType, digest, size } = image
    const signature = {
      schemaVersion: 2,
      mediaType,
      artifactType: 'application/vnd.example.signature',
      config: layout.blob('{}', 'application/vnd.oci.empty.v1+json'),
      layers: [layout.blob('signed', 'text/plain')],
      subject: { mediaType, digest, size },
    }
    layout.top(image, layout.json(signature, mediaType, { artifactType: signature.artifactType }))
  })
  await createIndex(`oci:${source}:app`, SMALL)
  const name = `${registry.host}/app`
  const { referrers } = await copyImage(`oci:${source}:app`, `${name}:1`)
  assert.equal(referrers.length, 2)
  const there = await verify(`${name}:1`)
  assert.deepEqual([there.sound, codes(there)], [true, ['INDEX_IGNORED', 'NOT_COVERED']])
  for (const { digest } of referrers) {
    const { status } = await fetch(`http://${name.replace('/', '/v2/')}/manifests/${digest}`, { method: 'DELETE' })
    assert.equal(status, 202)
  }
  const { sound, findings } = await verify(`${name}:1`)
  assert.deepEqual([sound, findings.map(({ code }) => code)], [false, ['LEFT_BEHIND', 'LEFT_BEHIND']])
})

test('blobs of attestations are read', async () => {
  let blobs: string[] = []
  const path = folder.layout((layout) => {
    const image = layout.manifest([layer(layout, 'a')], AMD64, { platform: AMD64 })
    const proof = attestation(layout, image)
    blobs = JSON.parse(Buffer.from(layout.blobs.get(proof.digest)!).toString()).layers.map(
      ({ digest }: { digest: string }) => digest,
    )
    layout.top(layout.imageIndex([image, proof], {}, NAMED_APP))
  })
  await convert(`oci:${path}:app`, undefined, SMALL)
  assert.deepEqual(await found(path), [])
  writeFileSync(blob(path, blobs[0]!), '{"_type":"Provenance"}')
  assert.deepEqual(await found(path), ['CONTENT_DAMAGED'])
  assert.deepEqual(await found(path, { platforms: ['linux/amd64'] }), [])
})

test('a fetch that fails, or breaks off, ends the call with its error, whichever it is', async () => {
  const source = await openStore(`oci:${sound}`)
  const count = faultyStore(source, () => undefined)
  await verify({ store: count.store, reference: 'app-soci' }, { deep: true })
  assert.ok(count.calls() > 20)
  for (const fault of ['before', 'break'] as const)
    for (let number = 1; number <= count.calls(); number++) {
      let name = ''
      const { store } = faultyStore(source, (call) => {
        if (call.number !== number) return undefined
        name = call.name
        return fault
      })
      const call = verify({ store, reference: 'app-soci' }, { deep: true })
      if (fault === 'break' && name !== 'fetch') await call.catch(() => {})
      else await assert.rejects(call, new RegExp(`call ${number}, `), `${fault} ${number}`)
    }
  await source.close()
})

test('a signal ends it at every fetch, with the signal’s reason', async () => {
  const source = await openStore(`oci:${sound}`)
  const stopping = (at: number, controller: AbortController): { store: Store; fetches: () => number } => {
    let fetches = 0
    const { store } = faultyStore(source, () => undefined)
    const fetch: Store['fetch'] = async function* (...args) {
      if (++fetches === at) controller.abort(new Error('stopped by the test'))
      yield* store.fetch(...args)
    }
    return { store: { ...store, fetch }, fetches: () => fetches }
  }
  const all = stopping(0, new AbortController())
  await verify({ store: all.store, reference: 'app-soci' }, { deep: true })
  for (let at = 1; at <= all.fetches(); at++) {
    const controller = new AbortController()
    const { store } = stopping(at, controller)
    const call = verify({ store: store, reference: 'app-soci' }, { deep: true, signal: controller.signal })
    await assert.rejects(call, /stopped by the test/, `fetch ${at} of ${all.fetches()}`)
  }
  await source.close()
})

test('the command: status and lines', async () => {
  const good = await run(['verify', `oci:${sound}:app-soci`])
  assert.deepEqual([good.status, good.err], [0, ''])
  assert.match(good.out, /^oci:.*app-soci@sha256:\w+ is sound: 3 layers read, 0 findings\n$/)
  const bad = damaged((path) => flip(path, first!.digest, 2000))
  const failed = await run(['verify', `oci:${bad}:app-soci`])
  assert.equal(failed.status, 1)
  assert.match(failed.out, /^error CONTENT_DAMAGED linux\/amd64: layer sha256:/)
  assert.match(failed.out, /is not sound: /)
  const json = JSON.parse((await run(['verify', `oci:${bad}:app-soci`, '--json'])).out)
  assert.deepEqual([json.sound, json.findings[0].code], [false, 'CONTENT_DAMAGED'])
})
