// What a Python program reads at its start: the interpreter's own files, and modules as its path finder finds them.
import { type FileFacts, isFile, readSource } from './image-files.js'
import type { Libraries } from './libraries.js'
import { absolute, folderOf } from './paths.js'
import { type PythonImport, scanPython } from './python-imports.js'
import type { Start } from './start.js'

/** CPython has the code of these in itself since 3.11 (Python/frozen.c), and of the first two always. */
const FROZEN = new Set(
  (
    '_frozen_importlib _frozen_importlib_external zipimport abc codecs io _collections_abc _sitebuiltins genericpath ntpath posixpath ' +
    'importlib.util importlib.machinery importlib._bootstrap importlib._bootstrap_external os site stat runpy'
  ).split(' '),
)
/** Python sets the locale C.UTF-8 where none is set (PEP 538). Files that the image does not have are left out. */
const LOCALE = [
  '/usr/lib/locale/C.utf8/LC_CTYPE',
  '/usr/lib/locale/C.UTF-8/LC_CTYPE',
  '/usr/lib/x86_64-linux-gnu/gconv/gconv-modules.cache',
  '/usr/lib/aarch64-linux-gnu/gconv/gconv-modules.cache',
]
const START_MODULES = ['encodings', 'encodings.aliases', 'encodings.utf_8', 'codecs', 'io', 'abc', 'site', 'os', 'stat']
/** Modules run before the program's own: what is in a chain of more is left out. */
const MAX_MODULES = 20_000
const MAX_PTH_LINES = 1000
/** Bytes of an extension that is searched for names of modules. */
const MAX_EXTENSION_SIZE = 16 << 20
/** What code in the interpreter itself imports once a module is used (Lib/importlib/_bootstrap_external.py). */
const IMPLIED: ReadonlyMap<string, readonly string[]> = new Map([['importlib.resources', ['importlib.readers']]])

interface Module {
  /** `__path__`, of a package. */
  readonly folders: readonly string[] | undefined
}

export async function startPython(
  start: Start,
  libraries: Libraries,
  executable: string,
  args: readonly string[],
): Promise<void> {
  const python = await findPython(start, executable)
  if (python === undefined) return start.note(`${executable}: no standard library of this Python is in the image`)
  const program = programOf(args)
  const script = program.script === undefined ? undefined : absolute(start.cwd, program.script)
  const scriptFolder = script === undefined ? start.cwd : folderOf((await start.files.stat(script))?.path ?? script)
  const variable = (start.env.get('PYTHONPATH') ?? '').split(':').filter((folder) => folder !== '')
  const own = program.flags.includes('I')
    ? []
    : [scriptFolder, ...variable.map((folder) => absolute(start.cwd, folder))]
  const importer = new Importer(start, libraries, python, own)
  if (python.venv !== undefined) await start.add(python.venv)
  for (const path of LOCALE) await start.add(path)
  for (const name of START_MODULES) await importer.load(name)
  if (!program.flags.includes('S')) await importer.loadSites()
  if (program.module !== undefined) {
    await importer.load('runpy')
    await importer.load('pkgutil')
    await importer.loadMain(program.module)
  } else if (script !== undefined) {
    const source = await readSource(start.files, script)
    const main = source === undefined ? `${script}/__main__.py` : script
    await start.add(main)
    await importer.run(source ?? (await readSource(start.files, main)) ?? '', { name: '__main__', isMain: true })
  } else if (program.code !== undefined) await importer.run(program.code, { name: '__main__', isMain: true })
  // As `uvicorn app.main:app` and `gunicorn app:app` name them
  for (const argument of program.rest) {
    const name = /^([A-Za-z_][\w.]*):[\w.()]+$/.exec(argument)?.[1]
    if (name !== undefined) await importer.load(name)
  }
}

interface Program {
  readonly flags: string
  readonly script?: string
  readonly module?: string
  readonly code?: string
  readonly rest: readonly string[]
}

function programOf(args: readonly string[]): Program {
  let flags = ''
  for (let i = 0; i < args.length; i++) {
    const argument = args[i]!
    if (argument === '-m' || argument === '-c') {
      const value = args[i + 1] ?? ''
      return { flags, ...(argument === '-m' ? { module: value } : { code: value }), rest: args.slice(i + 2) }
    }
    if (argument === '-W' || argument === '-X') i++
    else if (argument.startsWith('-') && argument !== '-') flags += argument.slice(1)
    else return { flags, ...(argument !== '-' && { script: argument }), rest: args.slice(i + 1) }
  }
  return { flags, rest: [] }
}

interface Python {
  readonly version: readonly [number, number]
  /** The standard library. */
  readonly library: string
  /** Folders for packages, those that exist. */
  readonly sites: readonly string[]
  /** `pyvenv.cfg` of a virtual environment. */
  readonly venv: string | undefined
}

async function findPython({ files }: Start, executable: string): Promise<Python | undefined> {
  const real = (await files.stat(executable))?.path ?? executable
  const named = /python(\d)\.(\d+)/.exec(real)
  for (let prefix = folderOf(folderOf(real)); ; prefix = folderOf(prefix)) {
    const base = prefix === '/' ? '' : prefix
    const version =
      named === null
        ? [...(await files.names(`${base}/lib`))]
            .map((name) => /^python(\d)\.(\d+)$/.exec(name))
            .find((match) => match !== null)
        : named
    const library = `${base}/lib/python${version?.[1]}.${version?.[2]}`
    if (version != null && ((await isFile(files, `${library}/os.py`)) || (await isFile(files, `${library}/os.pyc`)))) {
      const short = `lib/python${version[1]}.${version[2]}`
      let venv: string | undefined
      for (const folder of [folderOf(executable), folderOf(folderOf(executable))])
        if (await isFile(files, `${folder}/pyvenv.cfg`)) venv = `${folder}/pyvenv.cfg`
      const system = [
        `${base}/${short}/site-packages`,
        `/usr/local/${short}/dist-packages`,
        `${base}/lib/python3/dist-packages`,
        `${base}/${short}/dist-packages`,
      ]
      const isIsolated =
        venv !== undefined && !/include-system-site-packages\s*=\s*true/i.test((await readSource(files, venv)) ?? '')
      const candidates = [
        ...(venv === undefined ? [] : [`${folderOf(venv)}/${short}/site-packages`]),
        ...(isIsolated ? [] : system),
      ]
      const sites: string[] = []
      for (const folder of candidates) if ((await files.stat(folder))?.type === 'dir') sites.push(folder)
      return { version: [Number(version[1]), Number(version[2])], library, sites, venv }
    }
    if (prefix === '/' || prefix === '.') return undefined
  }
}

interface RunOptions {
  /** The module that the source is of. */
  readonly name: string
  readonly isMain?: boolean
  readonly isPackage?: boolean
  readonly called?: readonly string[]
}

class Importer {
  readonly #start: Start
  readonly #libraries: Libraries
  readonly #python: Python
  readonly #path: string[]
  readonly #modules = new Map<string, Promise<Module | undefined>>()
  readonly #tag: string

  constructor(start: Start, libraries: Libraries, python: Python, own: readonly string[]) {
    this.#start = start
    this.#libraries = libraries
    this.#python = python
    this.#tag = `cpython-${python.version.join('')}`
    this.#path = [...own, python.library, `${python.library}/lib-dynload`]
  }

  /** `site`: folders for packages, their `.pth` files, and what a distribution or a user customizes. */
  async loadSites(): Promise<void> {
    this.#path.push(...this.#python.sites)
    for (const folder of this.#python.sites)
      for (const name of [...(await this.#start.files.names(folder))].filter((name) => name.endsWith('.pth')).sort()) {
        const source = await readSource(this.#start.files, `${folder}/${name}`)
        await this.#start.add(`${folder}/${name}`)
        for (const line of (source ?? '')
          .split('\n')
          .slice(0, MAX_PTH_LINES)
          .map((text) => text.trim())) {
          if (/^import\s/.test(line)) await this.run(line, { name: '__main__', isMain: true })
          else if (line !== '' && !line.startsWith('#')) {
            const added = absolute(folder, line)
            if ((await this.#start.files.stat(added))?.type === 'dir' && !this.#path.includes(added))
              this.#path.push(added)
          }
        }
      }
    await this.load('sitecustomize')
    await this.load('usercustomize')
  }

  async loadMain(name: string): Promise<void> {
    const module = await this.load(name)
    if (module?.folders !== undefined) await this.#runFile(`${name}.__main__`, name, module.folders, true)
    else {
      const parent = name.includes('.') ? await this.load(name.slice(0, name.lastIndexOf('.'))) : undefined
      await this.#runFile(name, name.slice(0, Math.max(0, name.lastIndexOf('.'))), parent?.folders ?? this.#path, true)
    }
  }

  /** Undefined for a module that is not found, or is part of the interpreter. */
  async load(name: string, called?: readonly string[]): Promise<Module | undefined> {
    const known = this.#modules.get(name)
    if (known !== undefined) {
      if (called !== undefined && called.length > 0) await this.#runCalled(name, called)
      return await known
    }
    if (this.#modules.size >= MAX_MODULES) return undefined
    // Circles are ordinary: a module that is being loaded counts as loaded, its folders are known by then
    const parentName = name.slice(0, Math.max(0, name.lastIndexOf('.')))
    const parent = parentName === '' ? undefined : await this.load(parentName)
    if (parentName !== '' && parent?.folders === undefined) return undefined
    const again = this.#modules.get(name)
    if (again !== undefined) return await again
    const found = await this.#find(name.slice(name.lastIndexOf('.') + 1), parent?.folders ?? this.#path)
    const module = found === undefined ? undefined : { folders: found.folders }
    this.#modules.set(name, Promise.resolve(module))
    if (found?.file === undefined) return module
    if (FROZEN.has(name) && this.#python.version[1] >= 11 && found.file.startsWith(this.#python.library)) {
      await this.#runSource(found.file, { name, isPackage: found.folders !== undefined })
      return module
    }
    if (found.file.endsWith('.so')) {
      await this.#libraries.loadLibrary(found.file)
      await this.#loadNamed(name, found.file)
      return module
    }
    await this.#addCode(found.file)
    await this.#runSource(found.file, { name, isPackage: found.folders !== undefined, ...(called && { called }) })
    for (const implied of IMPLIED.get(name) ?? []) await this.load(implied)
    return module
  }

  /** Modules of its own package that an extension imports: their names are strings in it. */
  async #loadNamed(name: string, file: string): Promise<void> {
    const facts = await this.#start.files.stat(file)
    if (!name.includes('.') || facts === undefined || facts.size > MAX_EXTENSION_SIZE) return
    const text = (await this.#start.files.read(file, 0, facts.size))?.toString('latin1') ?? ''
    const top = name.slice(0, name.indexOf('.'))
    for (const [, module] of text.matchAll(new RegExp(`(?<=\\0)(${top}(?:\\.[A-Za-z_]\\w{0,99}){1,9})\\0`, 'g')))
      if (module !== name) await this.load(module!)
  }

  async #runCalled(name: string, called: readonly string[]): Promise<void> {
    const parent = name.includes('.') ? await this.load(name.slice(0, name.lastIndexOf('.'))) : undefined
    const found = await this.#find(name.slice(name.lastIndexOf('.') + 1), parent?.folders ?? this.#path)
    if (found?.file?.endsWith('.py') === true)
      await this.#runSource(found.file, { name, isPackage: found.folders !== undefined, called })
  }

  async #runFile(name: string, parent: string, folders: readonly string[], isMain: boolean): Promise<void> {
    const found = await this.#find(name.slice(name.lastIndexOf('.') + 1), folders)
    if (found?.file === undefined || found.file.endsWith('.so')) return
    await this.#addCode(found.file)
    const source = await readSource(this.#start.files, found.file)
    await this.run(source ?? '', { name: parent === '' ? '__main__' : `${parent}.__main__`, isMain })
  }

  async #runSource(file: string, options: RunOptions): Promise<void> {
    if (file.endsWith('.py')) await this.run((await readSource(this.#start.files, file)) ?? '', options)
  }

  /** Follows the imports of a source. */
  async run(source: string, { name, isMain = false, isPackage = false, called = [] }: RunOptions): Promise<void> {
    const failed = new Set<number>()
    const scanned = scanPython(source, { version: this.#python.version, isMain, called })
    for (const each of scanned) {
      if (each.unless !== undefined && !failed.has(each.unless)) continue
      if (each.attempt !== undefined && failed.has(each.attempt)) continue
      const isFound = await this.#import(each, name, isPackage, isMain)
      if (!isFound && each.attempt !== undefined && each.isConditional !== true) failed.add(each.attempt)
    }
  }

  async #import(
    { module, level, names }: PythonImport,
    from: string,
    isPackage: boolean,
    isMain: boolean,
  ): Promise<boolean> {
    let base = module
    if (level > 0) {
      const parts = from.split('.')
      const kept = parts.slice(0, parts.length - level + (isPackage ? 1 : 0))
      if (kept.length === 0) return false
      base = [...kept, ...(module === '' ? [] : [module])].join('.')
    }
    if (names.length === 0) return (await this.load(base)) !== undefined || (await this.#isBuiltIn(base))
    const loaded = await this.load(base, isMain ? names : undefined)
    if (loaded === undefined) return await this.#isBuiltIn(base)
    if (loaded.folders !== undefined)
      for (const name of names) if (name !== '*') await this.#loadSubmodule(base, name, loaded.folders)
    return true
  }

  /** `from package import name` loads a module of that name, unless the package has already something called so; which needs it to run. */
  async #loadSubmodule(base: string, name: string, folders: readonly string[]): Promise<void> {
    if (this.#modules.has(`${base}.${name}`)) return
    if ((await this.#find(name, folders)) !== undefined) await this.load(`${base}.${name}`)
  }

  /** A module in the interpreter itself has no file: all that standard modules could be named, without a dot. */
  async #isBuiltIn(name: string): Promise<boolean> {
    return BUILT_IN.has(name)
  }

  async #find(
    name: string,
    folders: readonly string[],
  ): Promise<{ file?: string; folders?: readonly string[] } | undefined> {
    const { files } = this.#start
    const spaces: string[] = []
    for (const folder of folders) {
      const names = await files.names(folder)
      if (names.has(name)) {
        const package_ = `${folder}/${name}`
        const inside = await files.names(package_)
        const file = this.#file('__init__', inside)
        if (file !== undefined) return { file: `${package_}/${file}`, folders: [package_] }
        if (inside.size > 0) spaces.push(package_)
      }
      const file = this.#file(name, names)
      if (file !== undefined) return { file: `${folder}/${file}` }
    }
    return spaces.length > 0 ? { folders: spaces } : undefined
  }

  #file(name: string, names: ReadonlySet<string>): string | undefined {
    const { version } = this.#python
    const suffixes = [/^\.cpython-(\d+)-.*\.so$/, /^\.abi3\.so$/]
    for (const machine of MACHINES) {
      const candidate = `${name}.cpython-${version.join('')}-${machine}.so`
      if (suffixes[0]!.test(candidate.slice(name.length)) && names.has(candidate)) return candidate
    }
    for (const suffix of ['.abi3.so', '.so', '.py', '.pyc']) if (names.has(name + suffix)) return name + suffix
    return undefined
  }

  /** The compiled file, if it is of this source; else the source. */
  async #addCode(file: string): Promise<void> {
    const { files } = this.#start
    if (file.endsWith('.py')) {
      const name = file.slice(file.lastIndexOf('/') + 1, -3)
      const compiled = `${folderOf(file)}/__pycache__/${name}.${this.#tag}.pyc`
      const source = await files.stat(file)
      if (source !== undefined && (await this.#isCurrent(compiled, source))) {
        await this.#start.add(compiled)
        return
      }
    }
    await this.#start.add(file)
  }

  /** https://peps.python.org/pep-0552/ */
  async #isCurrent(compiled: string, source: FileFacts): Promise<boolean> {
    if (!(await isFile(this.#start.files, compiled))) return false
    const header = await this.#start.files.read(compiled, 0, 16)
    if (header === undefined || header.length < 16) return false
    if ((header.readUInt32LE(4) & 1) === 1) return true
    const isSameTime = Number.isNaN(source.modified) || header.readUInt32LE(8) === source.modified % 2 ** 32
    return isSameTime && header.readUInt32LE(12) === source.size % 2 ** 32
  }
}

const MACHINES = [
  'x86_64-linux-gnu',
  'x86_64-linux-musl',
  'aarch64-linux-gnu',
  'aarch64-linux-musl',
  'arm-linux-gnueabihf',
  'i386-linux-gnu',
  'powerpc64le-linux-gnu',
  's390x-linux-gnu',
  'riscv64-linux-gnu',
]

/** What CPython may have in itself, whichever of them a distribution chose. */
const BUILT_IN = new Set(
  (
    '_abc _ast _bisect _blake2 _codecs _collections _csv _datetime _elementtree _functools _heapq _imp _io _json _locale _lsprof _md5 ' +
    '_opcode _operator _pickle _posixsubprocess _random _sha1 _sha2 _sha256 _sha3 _sha512 _signal _socket _sre _stat _statistics _string ' +
    '_struct _symtable _thread _tokenize _tracemalloc _typing _warnings _weakref _zoneinfo array atexit binascii builtins cmath errno ' +
    'faulthandler fcntl gc grp itertools marshal math posix pwd pyexpat select spwd sys syslog termios time unicodedata xxsubtype zlib ' +
    '_contextvars _asyncio _queue _ctypes'
  ).split(' '),
)
