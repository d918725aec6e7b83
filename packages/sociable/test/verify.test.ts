import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { convert, createIndex, type FindingCode, verify } from '../src/index.js'
import { run } from './cli/run.js'
import { TestFolder } from './support/folder.js'
import { OCI_GZIP } from './support/layout.js'
import { AMD64, ARM64, NAMED_APP, SMALL } from './support/samples.js'
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

test('v1, and an image with a start layer', async () => {
  const path = damaged(() => {})
  await createIndex(`oci:${path}:app`, SMALL)
  const v1 = await verify(`oci:${path}:app`, { deep: true })
  assert.deepEqual([v1.sound, codes(v1)], [true, ['NOT_COVERED']])
  const profile = { version: 1, files: [{ path: '/shared/g' }, { path: '/own0/f', ranges: [[0, 100]] }] } as const
  await convert(`oci:${path}:app`, `oci:${path}:fast`, { ...SMALL, profile })
  const fast = await verify(`oci:${path}:fast`, { deep: true })
  assert.deepEqual([fast.sound, fast.findings], [true, []])
})

for (const [name, damage, expected] of [
  ['a byte of a layer', (path) => flip(path, first!.digest, 2000), ['CONTENT_DAMAGED']],
  ['the end of a layer is missing', (path) => truncateSync(blob(path, first!.digest), 1000), ['CONTENT_DAMAGED']],
  ['a layer is missing', (path) => rmSync(blob(path, second!.digest)), ['CONTENT_MISSING']],
  ['a byte of a zTOC', (path) => flip(path, first!.ztoc!.digest, 500), ['CONTENT_DAMAGED']],
  ['a zTOC is missing', (path) => rmSync(blob(path, first!.ztoc!.digest)), ['CONTENT_MISSING']],
] as const satisfies readonly [string, (path: string) => void, readonly FindingCode[]][])
  test(`damage is found: ${name}`, async () => {
    const result = await verify(`oci:${damaged(damage)}:app-soci`)
    assert.equal(result.sound, false)
    assert.deepEqual(codes(result), expected)
  })

/** Puts changed bytes in a blob's place, and new digests into all that names it. */
function replaceEverywhere(path: string, digest: string, bytes: Uint8Array): void {
  const renew = (old: string, content: Uint8Array): void => {
    const hex = createHash('sha256').update(content).digest('hex')
    writeFileSync(join(path, 'blobs', 'sha256', hex), content)
    const size = readFileSync(blob(path, old)).length
    for (const parent of parents(path, old)) {
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

function parents(path: string, digest: string): { readonly file: string; readonly digest?: string }[] {
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
      annotations?.['org.opencontainers.image.ref.name'] === 'app-soci',
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
