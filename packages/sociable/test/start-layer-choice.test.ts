import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resolveSettings } from '../src/indexing/settings.js'
import { decodeProfile, MAX_PROFILE_LENGTH } from '../src/profile/decode-profile.js'
import { encodeProfile } from '../src/profile/encode-profile.js'
import type { Profile } from '../src/profile/profile.js'
import { chooseFiles } from '../src/start-layer/choose-files.js'
import type { ProfiledFile } from '../src/start-layer/resolve-profile.js'

const MIB = 1 << 20
const file = (path: string, size: number, read?: number): ProfiledFile =>
  ({
    path,
    content: { path, layer: { digest: 'sha256:a' }, entry: { size } },
    ranges: read === undefined ? undefined : [[0, read]],
  }) as unknown as ProfiledFile
const FILES = [
  file('small, little read', 400_000, 10),
  file('some MiB, half read', 3 * MIB, 1.6 * MIB),
  file('some MiB, little read', 3 * MIB, MIB),
  file('large, nearly whole', 10 * MIB, 8 * MIB),
  file('large, half read', 10 * MIB, 5 * MIB),
  file('large, all that is known', 10 * MIB),
  file('very large', 100 * MIB, 100 * MIB),
]
const names = (files: readonly ProfiledFile[]): string[] => files.map(({ path }) => path)
const choose = (options: Parameters<typeof resolveSettings>[0], imageSize: number): string[] => {
  const profile = { version: 1, files: [] } as const
  return names(chooseFiles(FILES, resolveSettings({ profile, ...options }), { imageSize, ratioOf: () => 0.5 }))
}

test('files are copied by size, and by how much of them is read', () => {
  assert.deepEqual(choose({}, 100 * MIB), [
    'small, little read',
    'some MiB, half read',
    'large, nearly whole',
    'large, all that is known',
  ])
})

test('a limit alone decides where it is set', () => {
  assert.deepEqual(choose({ startLayerLimit: 4 * MIB }, 100 * MIB), names(FILES.slice(0, 3)))
  assert.deepEqual(choose({ startLayerLimit: 0 }, 100 * MIB), [])
  assert.throws(() => resolveSettings({ startLayerLimit: -1 }), RangeError)
})

test('all are copied where they are small together, in a large image', () => {
  const few = FILES.slice(0, 5)
  const settings = resolveSettings({ profile: { version: 1, files: [] } })
  const chosen = (imageSize: number): number => chooseFiles(few, settings, { imageSize, ratioOf: () => 0.5 }).length
  assert.equal(chosen(1000 * MIB), 5)
  assert.equal(chosen(100 * MIB), 3)
})

test('what a profile without a trace does not list is cut into smaller spans', () => {
  const traced: Profile = { version: 1, files: [{ path: '/a' }] }
  const guessed: Profile = { version: 1, static: true, files: [{ path: '/b' }] }
  const coldSpanSize = (...profile: Profile[]) => resolveSettings({ profile }).hot!.coldSpanSize
  assert.equal(coldSpanSize(traced), undefined)
  assert.equal(coldSpanSize(guessed), 4 * MIB)
  assert.equal(coldSpanSize(guessed, guessed), 4 * MIB)
  assert.equal(coldSpanSize(guessed, traced), undefined)
  assert.deepEqual(decodeProfile(encodeProfile(guessed)), guessed)
  assert.deepEqual(decodeProfile('{"version":1,"static":false,"files":[{"path":"/a"}]}'), traced)
})

test('profiles that are malformed are refused, and say why', () => {
  const refused: readonly (readonly [text: string, reason: RegExp])[] = [
    ['', /JSON/],
    ['null', /not a profile/],
    ['{"version":2,"files":[]}', /not a profile of version 1/],
    ['{"version":1,"files":[{"path":"etc/passwd"}]}', /absolute/],
    ['{"version":1,"files":[{"path":"/a\\u0000b"}]}', /without "\.\." and NUL/],
    ['{"version":1,"files":[{"path":"/usr/../../etc/shadow"}]}', /without "\.\."/],
    [' '.repeat(MAX_PROFILE_LENGTH + 1), /larger than the limit of 256 MiB/],
    ['{"version":1,"static":1,"files":[]}', /static is 1/],
    ['{"version":1,"files":[null]}', /path of file 1/],
    ['{"version":1,"files":[{"path":"/a","ranges":[[5,1]]}]}', /\/a has the range \[5,1\]/],
    ['{"version":1,"files":[{"path":"/a","ranges":[[0,1e99]]}]}', /range/],
  ]
  for (const [text, reason] of refused) assert.throws(() => decodeProfile(text), reason, text.slice(0, 80))
  const { files } = decodeProfile('{"version":1,"files":[{"path":"/a","ranges":[[9,12],[0,3],[3,5],[7,7]]}]}')
  assert.deepEqual(files, [
    {
      path: '/a',
      ranges: [
        [0, 5],
        [9, 12],
      ],
    },
  ])
})
