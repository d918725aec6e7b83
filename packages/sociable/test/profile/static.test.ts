import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { open } from 'node:fs/promises'
import { posix } from 'node:path'
import { test } from 'node:test'
import { mappedParts, parseLinkerCache, readElf } from '../../src/profile/static/elf.js'
import type { FileFacts, ImageFiles } from '../../src/profile/static/image-files.js'
import { scanNode } from '../../src/profile/static/node-imports.js'
import { scanPython } from '../../src/profile/static/python-imports.js'
import { scanRuby } from '../../src/profile/static/ruby.js'
import { shellCommands } from '../../src/profile/static/shell.js'
import { staticProfile } from '../../src/profile/static/static-profile.js'

/** An image without symlinks, in memory. */
class MemoryFiles implements ImageFiles {
  readonly #files: Readonly<Record<string, string | Buffer>>
  constructor(files: Readonly<Record<string, string | Buffer>>) {
    this.#files = files
  }
  async stat(named: string): Promise<FileFacts | undefined> {
    const path = posix.normalize(named)
    const content = this.#files[path]
    if (content !== undefined) return { path, type: 'file', size: content.length, modified: 1000 }
    return (await this.names(path)).size > 0 ? { path, type: 'dir', size: 0, modified: 1000 } : undefined
  }
  async names(path: string): Promise<ReadonlySet<string>> {
    const prefix = path === '/' ? '/' : `${path}/`
    const below = Object.keys(this.#files).filter((name) => name.startsWith(prefix))
    return new Set(below.map((name) => name.slice(prefix.length).split('/')[0]!))
  }
  async read(path: string, start: number, end: number): Promise<Buffer | undefined> {
    const content = this.#files[posix.normalize(path)]
    return content === undefined ? undefined : Buffer.from(content as string).subarray(start, end)
  }
}

async function startOf(
  files: Readonly<Record<string, string | Buffer>>,
  entrypoint: readonly string[],
  env: Readonly<Record<string, string>> = {},
) {
  const config = { env: new Map(Object.entries(env)), cwd: '/app', entrypoint, command: [] }
  const { profile, notes } = await staticProfile(new MemoryFiles(files), config, undefined)
  return { paths: profile.files.map(({ path }) => path), notes, files: profile.files }
}

/** A 64-bit program or library that needs others. */
function elf({ interpreter = '', needed = [] as readonly string[], runpath = '' }): Buffer {
  const strings = ['', interpreter, runpath, ...needed].map((text) => Buffer.from(`${text}\0`))
  const at = (i: number): number => strings.slice(0, i).reduce((sum, { length }) => sum + length, 0)
  const base = 64 + 3 * 56
  const text = Buffer.concat(strings)
  const entries: [number, number][] = [
    ...needed.map((_, i): [number, number] => [1, at(i + 3)]),
    ...(runpath === '' ? [] : [[29, at(2)] as [number, number]]),
    [5, base + 0x1000],
    [0, 0],
  ]
  const dynamic = Buffer.alloc(entries.length * 16)
  entries.forEach(([tag, value], i) => {
    dynamic.writeBigUInt64LE(BigInt(tag), i * 16)
    dynamic.writeBigUInt64LE(BigInt(value), i * 16 + 8)
  })
  const head = Buffer.alloc(base)
  head.write('\x7fELF\x02\x01\x01', 'latin1')
  head.writeUInt16LE(62, 18)
  head.writeBigUInt64LE(64n, 32)
  head.writeUInt16LE(56, 54)
  head.writeUInt16LE(3, 56)
  const segment = (i: number, type: number, offset: number, size: number): void => {
    head.writeUInt32LE(type, 64 + i * 56)
    head.writeBigUInt64LE(BigInt(offset), 64 + i * 56 + 8)
    head.writeBigUInt64LE(BigInt(offset + 0x1000), 64 + i * 56 + 16)
    head.writeBigUInt64LE(BigInt(size), 64 + i * 56 + 32)
  }
  segment(0, 1, 0, base + text.length + dynamic.length)
  segment(1, 2, base + text.length, dynamic.length)
  segment(2, interpreter === '' ? 0 : 3, base + at(1), interpreter.length + 1)
  return Buffer.concat([head, text, dynamic])
}

const INTERPRETER = '/lib64/ld-linux-x86-64.so.2'
const PROGRAM = elf({ interpreter: INTERPRETER, needed: ['libc.so.6'] })
const SYSTEM = { [INTERPRETER]: elf({}), '/lib/x86_64-linux-gnu/libc.so.6': elf({}) }

test('elf: the libraries of the running Node.js are those that the linker loaded', {
  skip: process.platform !== 'linux',
}, async () => {
  const file = await open(process.execPath)
  try {
    const read = async (start: number, end: number): Promise<Buffer> => {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(end - start), 0, end - start, start)
      return buffer.subarray(0, bytesRead)
    }
    const found = await readElf(read)
    const report = process.report.getReport() as unknown as { readonly sharedObjects: readonly string[] }
    const loaded = report.sharedObjects.map((path) => path.split('/').at(-1))
    assert.ok(found!.needed.length > 0)
    for (const name of found!.needed) assert.ok(loaded.includes(name), `${name} of ${loaded.join(' ')}`)
    assert.ok(report.sharedObjects.some((path) => path.split('/').at(-1) === found!.interpreter!.split('/').at(-1)))
  } finally {
    await file.close()
  }
})

test('elf: every cut and every changed byte of a program ends in an answer', async () => {
  const program = elf({ interpreter: INTERPRETER, needed: ['liba.so'], runpath: '/x:$ORIGIN/lib' })
  for (let at = 0; at < program.length; at++) {
    const changed = Buffer.from(program)
    changed[at] = changed[at]! ^ 0xff
    await readElf(async (start, end) => changed.subarray(start, end))
    await readElf(async (start, end) => program.subarray(0, at).subarray(start, end))
  }
  const whole = await readElf(async (start, end) => program.subarray(start, end))
  assert.deepEqual(
    [whole!.interpreter, whole!.needed, whole!.runpath],
    [INTERPRETER, ['liba.so'], ['/x', '$ORIGIN/lib']],
  )
})

test('elf: what is mapped of the running Node.js: neither symbols for debuggers nor tables for exceptions', {
  skip: process.platform !== 'linux',
}, async () => {
  const file = await open(process.execPath)
  try {
    const { size } = await file.stat()
    const read = async (start: number, end: number): Promise<Buffer> => {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(end - start), 0, end - start, start)
      return buffer.subarray(0, bytesRead)
    }
    const parts = (await mappedParts(read, size))!
    const listed = execFileSync('readelf', ['--sections', '--wide', process.execPath]).toString()
    const sections = [...listed.matchAll(/\] (\S+) +(\S+) +[0-9a-f]+ ([0-9a-f]+) ([0-9a-f]+) \S+ +([A-Z]*) /g)].map(
      ([, name, type, offset, length, flags]) => {
        const start = Number.parseInt(offset!, 16)
        return { name: name!, type, flags: flags!, start, end: start + Number.parseInt(length!, 16) }
      },
    )
    const filled = sections.filter(({ type, start, end }) => type !== 'NOBITS' && end > start)
    assert.ok(filled.length > 10)
    for (const { name, flags, start, end } of filled) {
      const inside = parts.some(([from, to]) => from <= start && end <= to)
      const apart = parts.every(([from, to]) => to <= start || end <= from)
      const isRead = flags.includes('A') && !['.eh_frame', '.gcc_except_table'].includes(name)
      assert.ok(isRead ? inside : apart, `${name} ${flags}`)
    }
    for (let end = 0; end < 64; end++)
      assert.equal(await mappedParts((from, to) => read(from, Math.min(to, end)), size), undefined)
  } finally {
    await file.close()
  }
})

test('libraries: runpath with $ORIGIN, the linker cache, default folders, circles, and what is missing', async () => {
  const cacheText = 'liba.so\0/opt/a/liba.so\0'
  const header = Buffer.alloc(48 + 24)
  header.write('glibc-ld.so.cache1.1', 'latin1')
  header.writeUInt32LE(1, 20)
  header.writeUInt32LE(72, 52)
  header.writeUInt32LE(80, 56)
  const cache = Buffer.concat([header, Buffer.from(cacheText)])
  assert.deepEqual([...parseLinkerCache(cache)], [['liba.so', ['/opt/a/liba.so']]])
  const { paths, notes } = await startOf(
    {
      ...SYSTEM,
      '/etc/ld.so.cache': cache,
      '/app/bin/run': elf({
        interpreter: INTERPRETER,
        needed: ['libown.so', 'liba.so', 'libgone.so'],
        runpath: '$ORIGIN/../lib',
      }),
      '/app/lib/libown.so': elf({ needed: ['libc.so.6', 'libown.so'] }),
      '/opt/a/liba.so': elf({ needed: ['libown.so'] }),
      '/lib/x86_64-linux-gnu/libown.so': elf({}),
    },
    ['bin/run'],
  )
  assert.deepEqual(paths, [
    '/app/bin/run',
    INTERPRETER,
    '/app/lib/libown.so',
    '/etc/ld.so.cache',
    '/opt/a/liba.so',
    '/lib/x86_64-linux-gnu/libc.so.6',
  ])
  assert.deepEqual(notes, ['/app/bin/run needs libgone.so, which is not found'])
})

test('libraries: musl looks in its own folders, and its linker is the C library', async () => {
  const musl = '/lib/ld-musl-x86_64.so.1'
  const { paths, notes } = await startOf(
    {
      '/bin/app': elf({ interpreter: musl, needed: ['libc.musl-x86_64.so.1', 'libz.so'] }),
      [musl]: elf({}),
      '/usr/lib/libz.so': elf({}),
    },
    ['app'],
  )
  assert.deepEqual([paths, notes], [['/bin/app', musl, '/usr/lib/libz.so'], []])
})

const python = (source: string, isMain = false, called: readonly string[] = []) =>
  scanPython(source, { version: [3, 11], isMain, called }).map(({ module, level, names }) =>
    [`${'.'.repeat(level)}${module}`, ...names].join(' '),
  )

test('python: what runs when a module is loaded', () => {
  const source = `"""import not_this"""
import a, b.c as d  # import not_this
from .e import (f,
    g as h)
from . import *
x = 'import not_this'; import i
if TYPE_CHECKING:
    import not_this
elif True: import j
if sys.platform == "win32":
    import not_this
else:
    import k
if sys.version_info >= (3, 12):
    import not_this
if __name__ == "__main__":
    import not_this
class C:
    import l
    def method(self):
        import not_this
def late():
    import not_this
def now():
    import m
now()
mod = importlib.import_module("n.o")
import p \\
    , q
for package in ("r", "s.t"):
    locals()[package] = __import__(package)
for package in computed():
    __import__(other)
`
  assert.deepEqual(python(source), ['a', 'b.c', '.e f g', '. *', 'i', 'j', 'k', 'l', 'm', 'n.o', 'p', 'q', 'r', 's.t'])
  assert.ok(python(source, true).filter((name) => name === 'not_this').length >= 2)
  assert.deepEqual(python('def main():\n  import z\n', false, ['main']), ['z'])
})

test('python: files as the interpreter opens them: compiled ones that are current, packages, extensions, fallbacks', async () => {
  const lib = '/usr/lib/python3.11'
  const compiled = (source: string): Buffer => {
    const bytes = Buffer.alloc(16)
    bytes.writeUInt32LE(1000, 8)
    bytes.writeUInt32LE(source.length, 12)
    return bytes
  }
  const { paths } = await startOf(
    {
      ...SYSTEM,
      '/usr/bin/python3.11': PROGRAM,
      [`${lib}/os.py`]: '',
      [`${lib}/encodings/__init__.py`]: 'from . import aliases\n',
      [`${lib}/encodings/aliases.py`]: '',
      [`${lib}/json/__init__.py`]: 'from .decoder import D\n',
      [`${lib}/json/decoder.py`]: 'import fast\n',
      [`${lib}/json/__pycache__/decoder.cpython-311.pyc`]: compiled('import fast\n'),
      [`${lib}/json/__pycache__/__init__.cpython-311.pyc`]: compiled('longer than the source that is there\n'),
      [`${lib}/site-packages/fast.cpython-311-x86_64-linux-gnu.so`]: elf({ needed: ['libfast.so'] }),
      [`${lib}/site-packages/more.pth`]: '/opt/more\n',
      '/usr/lib/libfast.so': elf({}),
      '/opt/more/slow.py': '',
      '/opt/more/unused.py': '',
      '/app/main.py':
        'import json\ntry:\n  import missing\nexcept ImportError:\n  import slow\ntry:\n  import json\nexcept ImportError:\n  import unused\n',
    },
    ['python3.11', 'main.py'],
  )
  const after = paths.slice(paths.indexOf('/app/main.py'))
  assert.deepEqual(after, [
    '/app/main.py',
    `${lib}/json/__init__.py`,
    `${lib}/json/__pycache__/decoder.cpython-311.pyc`,
    `${lib}/site-packages/fast.cpython-311-x86_64-linux-gnu.so`,
    '/usr/lib/libfast.so',
    '/opt/more/slow.py',
  ])
  assert.ok(paths.includes(`${lib}/encodings/aliases.py`))
})

test('python: modules that an extension or the interpreter itself imports', async () => {
  const lib = '/usr/lib/python3.11'
  const strings = '\0fast\0fast.named\0fast.missing\0fast.not a name\0other.module\0xfast.part\0'
  const { paths } = await startOf(
    {
      ...SYSTEM,
      '/usr/bin/python3.11': PROGRAM,
      [`${lib}/os.py`]: '',
      [`${lib}/importlib/__init__.py`]: '',
      [`${lib}/importlib/resources/__init__.py`]: '',
      [`${lib}/importlib/readers.py`]: '',
      [`${lib}/site-packages/fast/__init__.py`]: 'from . import core\n',
      [`${lib}/site-packages/fast/core.abi3.so`]: Buffer.concat([elf({}), Buffer.from(strings)]),
      [`${lib}/site-packages/fast/named.py`]: 'from . import also\n',
      [`${lib}/site-packages/fast/also.py`]: '',
      [`${lib}/site-packages/fast/part.py`]: '',
      [`${lib}/site-packages/other/__init__.py`]: '',
      [`${lib}/site-packages/other/module.py`]: '',
      '/app/main.py': 'import fast\nimport importlib.resources\n',
    },
    ['python3.11', 'main.py'],
  )
  assert.deepEqual(paths.slice(paths.indexOf('/app/main.py')), [
    '/app/main.py',
    `${lib}/site-packages/fast/__init__.py`,
    `${lib}/site-packages/fast/core.abi3.so`,
    `${lib}/site-packages/fast/named.py`,
    `${lib}/site-packages/fast/also.py`,
    `${lib}/importlib/__init__.py`,
    `${lib}/importlib/resources/__init__.py`,
    `${lib}/importlib/readers.py`,
  ])
})

test('node: imports and requires that run, by the packages’ own exports', async () => {
  assert.deepEqual(
    scanNode("const a = require('a'); function f() { require('late') } (() => { require('b') })(); import('c')", false),
    [
      { specifier: 'a', kind: 'require' },
      { specifier: 'b', kind: 'require' },
      { specifier: 'c', kind: 'import' },
    ],
  )
  assert.deepEqual(scanNode('not JavaScript {', false), [])
  const { paths } = await startOf(
    {
      ...SYSTEM,
      '/usr/bin/node': PROGRAM,
      '/app/package.json': '{"type":"module"}',
      '/app/main.js': "import './lib.js'\nimport x from 'dual'\nimport fs from 'node:fs'\nexport * from '@s/p/sub'\n",
      '/app/lib.js': '',
      '/node_modules/dual/package.json': '{"exports":{"import":"./m.mjs","require":"./c.cjs"}}',
      '/node_modules/dual/m.mjs': "import { createRequire } from 'module'\nimport './old.cjs'\n",
      '/node_modules/dual/old.cjs': "require('./data'); require('./folder'); require('gone')\n",
      '/node_modules/dual/data.json': '{}',
      '/node_modules/dual/folder/index.js': '',
      '/node_modules/dual/c.cjs': '',
      '/app/node_modules/@s/p/package.json': '{"exports":{"./sub":"./deep/sub.js"}}',
      '/app/node_modules/@s/p/deep/sub.js': "require('./sub.js')\n",
    },
    ['node', '--enable-source-maps', 'main.js'],
  )
  const named = paths.filter((path) => path.startsWith('/app') || path.startsWith('/node_modules'))
  assert.deepEqual(
    new Set(named),
    new Set([
      '/app/main.js',
      '/app/package.json',
      '/app/lib.js',
      '/node_modules/dual/package.json',
      '/node_modules/dual/m.mjs',
      '/node_modules/dual/old.cjs',
      '/node_modules/dual/data.json',
      '/node_modules/dual/folder/index.js',
      '/app/node_modules/@s/p/package.json',
      '/app/node_modules/@s/p/deep/sub.js',
    ]),
  )
})

test('java: the virtual machine, the index of its modules, and jars with what their manifests name', async () => {
  const modules = Buffer.alloc(28)
  modules.writeUInt32LE(0xcafedada, 0)
  modules.writeUInt32LE(10, 16)
  modules.writeUInt32LE(100, 20)
  modules.writeUInt32LE(1000, 24)
  const { files } = await startOf(
    {
      ...SYSTEM,
      '/jdk/bin/java': PROGRAM,
      '/jdk/lib/modules': modules,
      '/jdk/lib/server/libjvm.so': elf({}),
      '/jdk/lib/libjava.so': elf({}),
      '/app/a.jar': 'not a zip',
      '/libs/b.jar': '',
    },
    ['/jdk/bin/java', '-Xmx1g', '-cp', 'a.jar:/libs/*', 'Main'],
  )
  assert.deepEqual(files.find(({ path }) => path === '/jdk/lib/modules')?.ranges, [[0, 28 + 80 + 1100]])
  const paths = files.map(({ path }) => path)
  for (const path of ['/jdk/lib/server/libjvm.so', '/jdk/lib/libjava.so', '/app/a.jar', '/libs/b.jar'])
    assert.ok(paths.includes(path), path)
})

test('ruby: requires outside of methods, in the order of the load path', async () => {
  const source =
    "require 'a'\nrequire_relative \"b\"\ndef m\n  require 'late'\nend\n# require 'no'\n  require('c') if x\n__END__\nrequire 'no'\n"
  assert.deepEqual(
    scanRuby(source, false).map(({ name }) => name),
    ['a', 'b', 'c'],
  )
  const { paths } = await startOf(
    {
      ...SYSTEM,
      '/usr/bin/ruby': PROGRAM,
      '/usr/lib/ruby/3.1.0/rubygems.rb': "require_relative 'rubygems/core'\n",
      '/usr/lib/ruby/3.1.0/rubygems/core.rb': '',
      '/usr/lib/x86_64-linux-gnu/ruby/3.1.0/monitor.so': elf({}),
      '/usr/lib/ruby/gems/3.1.0/specifications/rake.gemspec': '',
      '/app/main.rb': "require 'monitor'\n",
    },
    ['ruby', 'main.rb'],
  )
  for (const path of [
    '/usr/lib/ruby/gems/3.1.0/specifications/rake.gemspec',
    '/usr/lib/ruby/3.1.0/rubygems/core.rb',
    '/usr/lib/x86_64-linux-gnu/ruby/3.1.0/monitor.so',
  ])
    assert.ok(paths.includes(path), path)
})

test('shell: commands where a shell expects them, shebangs, sourced files, and the arguments', async () => {
  assert.deepEqual(
    shellCommands('#!/bin/sh\nif a; then b "x y" | c; fi # d\nE=1 exec f "$@"\nx=$(g)\n', ['h']).map(({ words }) =>
      words.join(' '),
    ),
    ['a', 'b x y', 'c', 'fi', 'f h', 'g'],
  )
  const { paths } = await startOf(
    {
      ...SYSTEM,
      '/bin/sh': PROGRAM,
      '/bin/cat': PROGRAM,
      '/bin/unused': PROGRAM,
      '/app/start': '#!/bin/sh\n. ./settings\nexec "$@"\n',
      '/app/settings': 'echo unused\n',
      '/app/run': '#!/usr/bin/env -S sh -e\ncat /x\n',
      '/usr/bin/env': PROGRAM,
    },
    ['./start', './run'],
  )
  assert.deepEqual(
    paths.filter((path) => !path.includes('/ld-') && !path.includes('libc')),
    ['/app/start', '/bin/sh', '/app/settings', '/app/run', '/usr/bin/env', '/bin/cat'],
  )
})

test('programs that start themselves, and each other, come to an end', async () => {
  const { paths } = await startOf(
    {
      ...SYSTEM,
      '/bin/sh': PROGRAM,
      '/app/a': '#!/app/b\n',
      '/app/b': '#!/app/a\n',
      '/app/s': '#!/bin/sh\n./s x"$@"\n. ./s\n',
    },
    ['./a'],
  )
  assert.deepEqual(paths, ['/app/a', '/app/b'])
  const self = await startOf({ ...SYSTEM, '/bin/sh': PROGRAM, '/app/s': '#!/bin/sh\n./s "$@" y\n. ./s\n' }, ['./s'])
  assert.ok(self.paths.includes('/app/s'))
  const { notes } = await startOf({}, ['gone'])
  assert.deepEqual(notes, ['the command gone is not in the image'])
})
