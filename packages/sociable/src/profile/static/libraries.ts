// What the dynamic linker opens: the interpreter, and needed libraries as glibc's and musl's linkers look for them (ld.so(8)).
import { type Elf, mappedParts, parseLinkerCache, type ReadBytes, readElf } from './elf.js'
import { type ImageFiles, isFile } from './image-files.js'
import { folderOf } from './paths.js'
import type { Start } from './start.js'

const CACHE = '/etc/ld.so.cache'
const MAX_CACHE_SIZE = 8 << 20
const LARGE_FILE = 1 << 20
/** As Debian, Fedora and others build it in; the first that exists has a library of the right kind. */
const FOLDERS: Readonly<Record<number, readonly string[]>> = {
  62: ['/lib/x86_64-linux-gnu', '/usr/lib/x86_64-linux-gnu'],
  183: ['/lib/aarch64-linux-gnu', '/usr/lib/aarch64-linux-gnu'],
}
const COMMON_FOLDERS = ['/lib64', '/usr/lib64', '/lib', '/usr/lib']
const MUSL_FOLDERS = ['/lib', '/usr/local/lib', '/usr/lib']

/** OpenSSL reads it when it is first used. */
const OPENSSL_CONFIGS = ['/usr/lib/ssl/openssl.cnf', '/etc/pki/tls/openssl.cnf', '/etc/ssl/openssl.cnf']

interface Loaded {
  readonly path: string
  readonly elf: Elf
  readonly by: Loaded | undefined
}

export class Libraries {
  readonly #start: Start
  readonly #elf = new Map<string, Promise<Elf | undefined>>()
  readonly #loaded = new Set<string>()
  #cache: Promise<ReadonlyMap<string, readonly string[]>> | undefined
  #isMusl = false

  constructor(start: Start) {
    this.#start = start
  }

  /** Adds the program, its interpreter and its libraries. False where the file is not ELF. */
  async loadProgram(path: string): Promise<boolean> {
    const start = this.#start
    const elf = await this.#read(path)
    if (elf === undefined) return false
    await this.#add(path)
    if (elf.interpreter !== undefined) {
      await start.add(elf.interpreter)
      this.#isMusl = elf.interpreter.includes('/ld-musl-')
      const preload = '/etc/ld.so.preload'
      if (!this.#isMusl && (await isFile(start.files, preload))) await start.add(preload)
      // A new process loads its own
      this.#loaded.clear()
      // Of a program, $ORIGIN is where it really is
      const real = (await start.files.stat(path))?.path ?? path
      await this.#loadNeeded({ path: real, elf, by: undefined })
    }
    return true
  }

  /** Adds a library that a running program opens, and what it needs. */
  async loadLibrary(path: string): Promise<void> {
    const elf = await this.#read(path)
    await this.#add(path)
    if (elf !== undefined) await this.#loadNeeded({ path, elf, by: undefined })
  }

  async #loadNeeded(first: Loaded): Promise<void> {
    const pending = [first]
    for (let loaded = pending.shift(); loaded !== undefined; loaded = pending.shift())
      for (const name of loaded.elf.needed) {
        if (this.#loaded.has(name)) continue
        this.#loaded.add(name)
        const path = await this.#find(name, loaded)
        if (path === undefined) {
          if (!(this.#isMusl && /^libc\.(so|musl-)/.test(name)))
            this.#start.note(`${loaded.path} needs ${name}, which is not found`)
          continue
        }
        if (!(await this.#add(path))) continue
        // As Debian, Fedora and Alpine build it in
        if (/^libcrypto\.so/.test(name)) for (const file of OPENSSL_CONFIGS) await this.#start.add(file)
        pending.push({ path, elf: (await this.#read(path))!, by: loaded })
      }
  }

  /** A small file is read whole, or nearly: its sections need not be looked at. */
  async #add(path: string): Promise<boolean> {
    const { files } = this.#start
    const size = (await files.stat(path))?.size ?? 0
    const read: ReadBytes = (start, end) => files.read(path, start, end)
    return await this.#start.add(path, size < LARGE_FILE ? undefined : await mappedParts(read, size))
  }

  async #find(name: string, loaded: Loaded): Promise<string | undefined> {
    if (name.includes('/')) return (await this.#fits(name, loaded.elf)) ? name : undefined
    for (const folder of [...this.#searched(loaded)]) {
      const path = `${folder}/${name}`
      if (await this.#fits(path, loaded.elf)) return path
    }
    if (!this.#isMusl)
      for (const path of (await this.#cached()).get(name) ?? []) if (await this.#fits(path, loaded.elf)) return path
    const machine = Number(loaded.elf.kind.split(' ')[2])
    const folders = this.#isMusl ? MUSL_FOLDERS : [...(FOLDERS[machine] ?? []), ...COMMON_FOLDERS]
    for (const folder of folders) if (await this.#fits(`${folder}/${name}`, loaded.elf)) return `${folder}/${name}`
    return undefined
  }

  /** Before the cache: rpath, of those that loaded it too; LD_LIBRARY_PATH; runpath. */
  #searched(loaded: Loaded): string[] {
    const own = ({ elf, path }: Loaded, folders: readonly string[]): string[] =>
      folders.map((folder) =>
        folder
          .replace(/\$(ORIGIN|\{ORIGIN\})/g, folderOf(path))
          .replace(/\$(LIB|\{LIB\})/g, elf.kind.startsWith('2') ? 'lib64' : 'lib'),
      )
    const rpath: string[] = []
    if (loaded.elf.runpath.length === 0)
      for (let each: Loaded | undefined = loaded; each !== undefined; each = each.by)
        if (each.elf.runpath.length === 0) rpath.push(...own(each, each.elf.rpath))
    const variable = this.#start.env.get('LD_LIBRARY_PATH')?.split(/[:;]/) ?? []
    return [...rpath, ...variable, ...own(loaded, loaded.elf.runpath)].filter((folder) => folder.startsWith('/'))
  }

  async #fits(path: string, { kind }: Elf): Promise<boolean> {
    return (await isFile(this.#start.files, path)) && (await this.#read(path))?.kind === kind
  }

  async #cached(): Promise<ReadonlyMap<string, readonly string[]>> {
    this.#cache ??= (async () => {
      const bytes = await this.#start.files.read(CACHE, 0, MAX_CACHE_SIZE)
      if (bytes === undefined) return new Map<string, string[]>()
      await this.#start.add(CACHE)
      return parseLinkerCache(bytes)
    })()
    return await this.#cache
  }

  #read(path: string): Promise<Elf | undefined> {
    let elf = this.#elf.get(path)
    if (elf === undefined) {
      elf = readFileElf(this.#start.files, path)
      this.#elf.set(path, elf)
    }
    return elf
  }
}

async function readFileElf(files: ImageFiles, path: string): Promise<Elf | undefined> {
  return await readElf((start, end) => files.read(path, start, end))
}
