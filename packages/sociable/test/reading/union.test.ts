import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FileEntry, FileList, Toc } from '@sociable/ztoc'
import { cleanPath } from '../../src/reading/layer-tree.js'
import { type OpenLayer, openLayer, Union } from '../../src/reading/union.js'

test('paths are cleaned and stay inside the root', () => {
  for (const [name, path] of [
    ['./a/b', 'a/b'],
    ['a/b/', 'a/b'],
    ['/a//b/.', 'a/b'],
    ['a/../../b', 'b'],
    ['../..', ''],
    ['./', ''],
    ['...', '...'],
    ['a/.b./..c', 'a/.b./..c'],
  ] as const)
    assert.equal(cleanPath(name), path, name)
})

test('the topmost layer that has a path shows it, and lower layers stay closed', async () => {
  const opened: string[] = []
  const union = unionOf(
    [
      ['etc/', 'etc/a', 'etc/b'],
      ['./etc/', './etc/a'],
    ],
    opened,
  )
  assert.equal((await union.lookup('etc/a'))?.layer?.digest, 'layer1')
  assert.deepEqual(opened, ['layer1'])
  assert.equal((await union.lookup('etc/b'))?.layer?.digest, 'layer0')
  assert.equal(await union.lookup('etc/c'), undefined)
  assert.deepEqual(await names(union, 'etc'), ['a@layer1', 'b@layer0'])
})

test('whiteouts hide what is below, in the same layer nothing', async () => {
  const union = unionOf([
    ['d/', 'd/x', 'd/y', 'd/sub/', 'd/sub/f', 'e/', 'e/f'],
    ['d/.wh.x', 'd/x2', '.wh.e', 'e2', 'd/sub/.wh.f', 'd/sub/f'],
    ['d/.wh.x2', 'e/new'],
  ])
  assert.deepEqual(await names(union, 'd'), ['sub@layer0', 'y@layer0'])
  assert.deepEqual(await names(union, 'd/sub'), ['f@layer1'])
  assert.deepEqual(await names(union, 'e'), ['new@layer2'])
  assert.equal(await union.lookup('e/f'), undefined)
  assert.equal((await union.lookup('e'))?.entry, undefined, 'e is only implied by e/new')
  assert.equal(await union.lookup('d/.wh.x'), undefined)
})

test('an opaque directory hides all that lower layers have in it, not itself', async () => {
  const union = unionOf([
    ['d/', 'd/old', 'd/deep/', 'd/deep/old'],
    ['d/.wh..wh..opq', 'd/new', 'd/deep/new', '.wh..wh.plnk', '.wh..wh.aufs'],
  ])
  assert.deepEqual(await names(union, 'd'), ['deep@none', 'new@layer1'])
  assert.deepEqual(await names(union, 'd/deep'), ['new@layer1'])
  assert.equal(await union.lookup('d/old'), undefined)
  assert.equal((await union.lookup('d'))?.layer?.digest, 'layer0', 'its own entry is in the layer below')
  assert.deepEqual(await names(union, ''), ['d@layer0'])
})

test('a file over a directory and a directory over a file', async () => {
  const union = unionOf([
    ['a/', 'a/b', 'c', 'f', 'g/', 'g/below'],
    ['a', 'c/', 'c/d', 'f/g', 'g/top'],
  ])
  assert.equal((await union.lookup('a'))?.entry?.type, 'reg')
  assert.equal(await union.lookup('a/b'), undefined)
  assert.equal((await union.lookup('c'))?.entry?.type, 'dir')
  assert.deepEqual(await names(union, 'c'), ['d@layer1'])
  assert.equal((await union.lookup('f'))?.entry, undefined, 'an unlisted directory over a file')
  assert.deepEqual(await names(union, 'f'), ['g@layer1'])
  assert.deepEqual(await names(union, ''), ['a@layer1', 'c@layer1', 'f@none', 'g@layer0'])
  assert.deepEqual(await names(union, 'g'), ['below@layer0', 'top@layer1'])
})

test('symlinks are followed inside the image only, a bounded number of times', async () => {
  const union = unionOf([
    [
      'usr/',
      'usr/bin/',
      'usr/bin/sh',
      'bin>usr/bin',
      'abs>/usr/bin/sh',
      'up>../../../usr',
      'loop>loop2',
      'loop2>loop',
      'dangling>nowhere',
    ],
    ['usr/lib/', 'usr/lib/x', 'l>usr/lib/../bin'],
  ])
  assert.equal((await union.resolve('bin/sh', true)).path, 'usr/bin/sh')
  assert.equal((await union.resolve('/abs', true)).path, 'usr/bin/sh')
  assert.equal((await union.resolve('up/bin/sh', true)).path, 'usr/bin/sh')
  assert.equal((await union.resolve('l/sh', true)).path, 'usr/bin/sh')
  assert.equal((await union.resolve('bin', false)).entry?.type, 'symlink')
  assert.equal((await union.resolve('bin', true)).path, 'usr/bin')
  assert.equal((await union.resolve('../../..', true)).path, '')
  await assert.rejects(union.resolve('loop', true), { code: 'PATH_NOT_FOUND', message: /loop: more than 40 symlinks/ })
  await assert.rejects(union.resolve('dangling', true), { code: 'PATH_NOT_FOUND', message: /there is no nowhere/ })
  await assert.rejects(union.resolve('usr/bin/sh/x', true), {
    code: 'PATH_NOT_FOUND',
    message: /usr\/bin\/sh is not a directory/,
  })
})

test('hardlinks lead to the entry that has the bytes', async () => {
  const union = unionOf([
    ['f', 'only-below'],
    ['./f', 'g=./f', 'h=g', 'i=only-below', 'j=absent', 's>f', 't=s'],
  ])
  for (const [link, layer, path] of [
    ['g', 'layer1', 'f'],
    ['h', 'layer1', 'f'],
    ['i', 'layer0', 'only-below'],
  ] as const) {
    const target = await union.hardlinkTarget((await union.lookup(link))!)
    assert.deepEqual([target.layer?.digest, target.path], [layer, path])
  }
  await assert.rejects(union.hardlinkTarget((await union.lookup('j'))!), {
    code: 'PATH_NOT_FOUND',
    message: /hard link to \/absent/,
  })
  assert.equal((await union.resolve('t', true)).path, 'f', 'a hardlink to a symlink is one')
})

test('of two entries of one path the last counts', async () => {
  const union = unionOf([['x', 'x/', 'x/y', './x']])
  assert.equal((await union.lookup('x'))?.entry?.type, 'reg')
})

test('endless paths are passed over, and cost little', { timeout: 20_000 }, async () => {
  const endless = 'a/'.repeat(500_000)
  const union = unionOf([[endless, 'b', `link>${endless}`]])
  assert.deepEqual(await names(union, ''), ['b@layer0', 'link@layer0'])
  await assert.rejects(union.resolve('link', true), { code: 'PATH_NOT_FOUND', message: /a path of 1000000 characters/ })
  const deep = Array.from({ length: 2500 }, (_, i) => `${i}/${'d/'.repeat(500)}`)
  await assert.rejects(unionOf([deep]).lookup('0'), { code: 'ZTOC_INVALID', message: /more than 1000000 directories/ })
})

test('a hard link is the file that had the name when the link was made', async () => {
  const union = unionOf([['f', 'g=f', 'f', 'd/', 'd/x', 'h=d/x', '.wh.d', 's>f', 't=s', 's>g']])
  const indexOf = async (path: string) => (await union.hardlinkTarget((await union.lookup(path))!)).entry?.index
  assert.equal(await indexOf('g'), 0)
  assert.equal(await indexOf('f'), 2)
  assert.equal(await indexOf('h'), 4, 'the file lives on under its other name')
  assert.equal((await union.resolve('t', true)).entry?.index, 2)
})

test('hard links that lead nowhere fail alone', async () => {
  const union = unionOf([
    ['a', 'self=self', 'root=/', 'dot=.', 'dir=d', 'd/', 'none=x/y', 'loop1=loop2', 'loop2=loop1'],
  ])
  assert.equal((await names(union, '')).length, 9)
  for (const path of ['self', 'root', 'dot', 'dir', 'none', 'loop1', 'loop2'])
    await assert.rejects(union.hardlinkTarget((await union.lookup(path))!), { code: 'PATH_NOT_FOUND' }, path)
})

test('entries for the root change nothing', async () => {
  for (const name of ['.', '..', '/', './', '', 'x/..', '../..']) {
    assert.deepEqual(await names(unionOf([['a', 'b/c'], [name]]), ''), ['a@layer0', 'b@none'], name)
    assert.deepEqual(await names(unionOf([['a'], [`${name}>a`]]), ''), ['a@layer0'], name)
  }
})

test('within a layer entries go where its symlinks lead, between layers a directory takes the symlink’s place', async () => {
  const union = unionOf([['usr/', 'lib>usr/lib', 'lib/one', 'up>/../usr/./lib', 'up/two'], ['lib/three']])
  assert.deepEqual(await names(union, 'usr/lib'), ['one@layer0', 'two@layer0'])
  assert.deepEqual(await names(union, 'lib'), ['three@layer1'])
})

test('a directory in the place of a file of its own layer hides what lower layers have there', async () => {
  assert.deepEqual(
    await names(
      unionOf([
        ['d/', 'd/old'],
        ['d', 'd/', 'd/new'],
      ]),
      'd',
    ),
    ['new@layer1'],
  )
  assert.deepEqual(
    await names(
      unionOf([
        ['d/', 'd/old'],
        ['d/', 'd/', 'd/new'],
      ]),
      'd',
    ),
    ['new@layer1', 'old@layer0'],
  )
})

/** Layers bottom first; an entry is `file`, `dir/`, `link>target` or `hardlink=target`. */
function unionOf(layers: readonly (readonly string[])[], opened: string[] = []): Union {
  return new Union(
    layers.map((entries, i) => {
      let layer: Promise<OpenLayer> | undefined
      return async () => {
        if (layer === undefined) opened.push(`layer${i}`)
        layer ??= openLayer(`layer${i}`, { files: fileList(entries) } as Toc)
        return layer
      }
    }),
  )
}

function fileList(entries: readonly string[]): FileList {
  const files = entries.map((text, index) => {
    const [, name, kind, linkname] = /^([^>=]*)([>=]?)(.*)$/.exec(text)!
    const type = kind === '>' ? 'symlink' : kind === '=' ? 'hardlink' : name!.endsWith('/') ? 'dir' : 'reg'
    return {
      index,
      name,
      nameBytes: Buffer.from(name!),
      type,
      linkname,
      linknameBytes: Buffer.from(linkname!),
    } as unknown as FileEntry
  })
  return {
    length: files.length,
    at: (index) => files.at(index),
    find: (name) => files.findLast((file) => file.name === name),
    [Symbol.iterator]: () => files.values(),
  }
}

async function names(union: Union, path: string): Promise<string[]> {
  const children = await union.children(path)
  return children.map(({ path, layer }) => `${path.slice(path.lastIndexOf('/') + 1)}@${layer?.digest ?? 'none'}`).sort()
}
