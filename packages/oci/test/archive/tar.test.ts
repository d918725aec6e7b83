import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { decodeTarHeader, encodeTarHeader } from '../../src/archive/tar-header.js'
import { indexTar, type TarIndex } from '../../src/archive/tar-index.js'
import { RandomAccessFile } from '../../src/file/random-access.js'
import { pax, type TarEntry, tar } from '../tar-writer.js'
import { find, run, temporaryFolder } from '../tools.js'

async function index(t: TestContext, bytes: Uint8Array): Promise<TarIndex> {
  const path = join(temporaryFolder(t), 'a.tar')
  writeFileSync(path, bytes)
  const file = await RandomAccessFile.open(path)
  try {
    return await indexTar(file, 'a.tar')
  } finally {
    await file.close()
  }
}

async function contents(t: TestContext, entries: readonly TarEntry[]): Promise<Record<string, string>> {
  const bytes = tar(entries)
  const found = await index(t, bytes)
  return Object.fromEntries(
    [...found].map(([name, { offset, size }]) => [
      name,
      Buffer.from(bytes.subarray(offset, offset + size)).toString('latin1'),
    ]),
  )
}

const base256 = (value: bigint) => {
  const field = new Uint8Array(12)
  field[0] = 0x80
  new DataView(field.buffer).setBigInt64(4, value)
  return field
}

test('names: cleaned, long, with a prefix, in PAX, and the last of a name counts', async (t) => {
  const long = `${'d/'.repeat(60)}file`
  assert.deepEqual(
    await contents(t, [
      { name: './a//b', data: '1' },
      { name: 'c', prefix: 'p/q', data: '2' },
      { name: 'g', magic: 'ustar  \0', prefix: '0000000', data: '3' },
      { name: '././@LongLink', type: 'L', data: `${long}\0` },
      { name: 'cut', data: '4' },
      { name: 'h', type: 'x', data: pax({ path: 'from/pax', mtime: '1.5' }) },
      { name: 'i', data: '5' },
      { name: 'global', type: 'g', data: pax({ path: 'nowhere' }) },
      { name: 'a/b', data: '6' },
      { name: 'old', type: '\0', data: '7' },
      { name: 'folder/', type: '5' },
      { name: 'both', type: 'x', data: pax({ path: 'pax-loses' }) },
      { name: '././@LongLink', type: 'L', data: 'gnu-wins\0' },
      { name: 'x', data: '8' },
      { name: '/absolute', data: '9' },
    ]),
    { 'a/b': '6', 'p/q/c': '2', g: '3', [long]: '4', 'from/pax': '5', old: '7', 'gnu-wins': '8', absolute: '9' },
  )
})

test('links are followed within the archive, wherever they claim to go', async (t) => {
  assert.deepEqual(
    await contents(t, [
      { name: 'a/layer.tar', data: 'layer' },
      { name: 'b/layer.tar', type: '2', linkName: '../a/layer.tar' },
      { name: 'c', type: '1', linkName: 'a/layer.tar' },
      { name: 'd', type: '2', linkName: 'b/layer.tar' },
      { name: 'outside', type: '2', linkName: '../../../etc/passwd' },
      { name: 'absolute', type: '2', linkName: '/etc/passwd' },
      { name: 'self', type: '2', linkName: 'self' },
      { name: 'ping', type: '2', linkName: 'pong' },
      { name: 'pong', type: '2', linkName: 'ping' },
      { name: 'dangling', type: '1', linkName: 'nothing' },
      { name: 'device', type: '3' },
      { name: '../climbs', data: 'x' },
      { name: 'a/../../climbs', data: 'x' },
      { name: '..', data: 'x' },
    ]),
    { 'a/layer.tar': 'layer', 'b/layer.tar': 'layer', c: 'layer', d: 'layer' },
  )
})

test('sizes: base-256, PAX, and of a link none', async (t) => {
  assert.deepEqual(
    await contents(t, [
      { name: 'a', data: 'abc', size: base256(3n) },
      { name: 'x', type: 'x', data: pax({ size: '4' }) },
      { name: 'b', data: 'abcd', size: '00000000000' },
      { name: 'l', type: '2', linkName: 'b', size: '00000000777' },
      { name: 'c', data: 'c', size: ' 1 ' },
    ]),
    { a: 'abc', b: 'abcd', l: 'abcd', c: 'c' },
  )
})

test('an end without zeros, with one block of them, or within the padding', async (t) => {
  for (const end of [0, 512, 1024, 10240])
    assert.equal((await index(t, tar([{ name: 'a', data: 'x' }], { end }))).size, 1)
  assert.equal((await index(t, tar([{ name: 'a', data: 'x' }], { end: 0 }).subarray(0, 700))).size, 1)
  assert.equal((await index(t, new Uint8Array(1024))).size, 0)
  assert.equal((await index(t, new Uint8Array())).size, 0)
})

test('what is not a tar is refused, and why', async (t) => {
  const sound = tar([{ name: 'a', data: 'x'.repeat(2000) }])
  const refused: readonly [string, Uint8Array, RegExp][] = [
    ['gzip', gzipSync(sound), /compressed with gzip.* unpack it first with gzip -d/],
    ['zstd', Buffer.from(`28b52ffd${'00'.repeat(600)}`, 'hex'), /compressed with zstd/],
    ['text', Buffer.from('hello '.repeat(200)), /does not start with a tar header/],
    ['short', sound.subarray(0, 100), /ends within a header, at 100/],
    ['short gzip', gzipSync('x'), /compressed with gzip/],
    ['cut', sound.subarray(0, 1000), /"a" goes to 2512, and it ends at 1000: it is cut short/],
    ['checksum', tar([{ name: 'a' }, { name: 'b', breakChecksum: true }]), /no valid header at 512/],
    ['a size of 2^53', tar([{ name: 'a', size: base256(2n ** 53n) }]), /does not start with a tar header/],
    ['a size of 2^53 later', tar([{ name: 'a' }, { name: 'b', size: base256(2n ** 53n) }]), /no valid header at 512/],
    ['a size below 2^53', tar([{ name: 'a', size: base256(2n ** 53n - 1n) }]), /cut short/],
    ['a negative size', tar([{ name: 'a', size: base256(-1n) }, { name: 'b' }]), /does not start with a tar header/],
    ['no number', tar([{ name: 'a' }, { name: 'b', size: '12x' }]), /no valid header at 512/],
    ['PAX size', tar([{ name: 'x', type: 'x', data: pax({ size: '-5' }) }, { name: 'a' }]), /says a size of "-5"/],
    [
      'PAX size huge',
      tar([{ name: 'x', type: 'x', data: pax({ size: '9'.repeat(30) }) }, { name: 'a' }]),
      /says a size of/,
    ],
    ['PAX record', tar([{ name: 'x', type: 'x', data: '99 path=a\n' }, { name: 'a' }]), /malformed record/],
    ['PAX without length', tar([{ name: 'x', type: 'x', data: 'path=a\n' }, { name: 'a' }]), /malformed record/],
    ['PAX length 0', tar([{ name: 'x', type: 'x', data: '0 path=a\n' }, { name: 'a' }]), /malformed record/],
    [
      'a long name of 2 MiB',
      tar([{ name: 'x', type: 'L', data: 'a'.repeat(2 << 20) }, { name: 'a' }]),
      /has 2097152 bytes, the most is 1048576/,
    ],
  ]
  for (const [name, bytes, message] of refused)
    await assert.rejects(index(t, bytes), { name: 'StoreError', code: 'PROTOCOL', message }, name)
})

test('more entries than any archive of images has are refused', async (t) => {
  const one = tar([{ name: 'a' }], { end: 0 })
  const many = new Uint8Array(250_001 * 512)
  for (let at = 0; at < many.length; at += 512) many.set(one, at)
  await assert.rejects(index(t, many), { code: 'PROTOCOL', message: /more than 250000 entries/ })
})

test('damaged tars give an index or an error, never more', async (t) => {
  const sound = tar([
    { name: 'x', type: 'x', data: pax({ path: 'renamed', size: '3' }) },
    { name: 'a', data: 'abc' },
    { name: 'l', type: '2', linkName: 'renamed' },
    { name: '././@LongLink', type: 'L', data: 'long' },
    { name: 'b', data: 'defg' },
  ])
  let random = 1
  const next = (below: number) => {
    random = (Math.imul(random, 1103515245) + 12345) >>> 0
    return (random >>> 8) % below
  }
  const path = join(temporaryFolder(t), 'a.tar')
  let indexed = 0
  for (let i = 0; i < 400; i++) {
    const bytes = sound.slice(0, next(4) === 0 ? next(sound.length) : sound.length)
    for (let n = next(4); n > 0 && bytes.length > 0; n--) bytes[next(bytes.length)] = next(256)
    writeFileSync(path, bytes)
    const file = await RandomAccessFile.open(path)
    try {
      for (const { offset, size } of (await indexTar(file, 'a.tar')).values())
        assert.ok(size >= 0 && offset + size <= bytes.length)
      indexed++
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'PROTOCOL', String(error))
    } finally {
      await file.close()
    }
  }
  assert.ok(indexed > 10)
})

test('headers that are written are read, by tar too', async (t) => {
  const names = ['a', 'blobs/', 'x'.repeat(100), `blobs/sha512/${'0'.repeat(128)}`, 'ü/日本', `${'y'.repeat(300)}`]
  for (const size of [0, 8 ** 11 - 1, 8 ** 11, 2 ** 53 - 1])
    assert.equal(decodeTarHeader(encodeTarHeader('a', size))?.size, size)
  const bytes = Buffer.concat([...names.map((name) => encodeTarHeader(name, 0)), new Uint8Array(1024)])
  assert.deepEqual(
    [...(await index(t, bytes)).keys()],
    names.filter((name) => !name.endsWith('/')),
  )
  const command = find('tar')
  if (command === undefined) return
  const path = join(temporaryFolder(t), 'b.tar')
  writeFileSync(path, bytes)
  const listed = run(command, '--quoting-style=literal', '-tf', path).trim().split('\n')
  assert.deepEqual(listed, names)
})
