// What a Node.js program reads at its start: modules as https://nodejs.org/api/modules.html and /esm.html resolve them.
import { builtinModules } from 'node:module'
import { exports as exportsOf, imports as importsOf } from 'resolve.exports'
import { isFile, readSource } from './image-files.js'
import type { Libraries } from './libraries.js'
import { scanNode } from './node-imports.js'
import { absolute, folderOf } from './paths.js'
import type { Start } from './start.js'

const MAX_MODULES = 20_000
/** Options whose value is the next argument. */
const WITH_VALUE = new Set([
  '-r',
  '--require',
  '--import',
  '--loader',
  '--experimental-loader',
  '-C',
  '--conditions',
  '-e',
  '--eval',
  '-p',
  '--print',
])
const PRELOADS = /^(?:-r|--require|--import|--loader|--experimental-loader)$/

interface Package {
  readonly folder: string
  readonly json: {
    readonly main?: unknown
    readonly type?: unknown
    readonly exports?: unknown
    readonly imports?: unknown
    readonly name?: string
  }
}

export async function startNode(start: Start, libraries: Libraries, args: readonly string[]): Promise<void> {
  const loader = new ModuleLoader(start, libraries)
  const options = (start.env.get('NODE_OPTIONS') ?? '').split(/\s+/).filter((option) => option !== '')
  const preloads: string[] = []
  let script: string | undefined
  const all = [...options.map((text) => ({ text, isOption: true })), ...args.map((text) => ({ text, isOption: false }))]
  for (let i = 0; i < all.length; i++) {
    const { text, isOption } = all[i]!
    const [name = '', value] = text.split('=', 2)
    if (PRELOADS.test(name)) preloads.push(value ?? all[++i]?.text ?? '')
    else if (WITH_VALUE.has(name) && value === undefined) i++
    else if (!text.startsWith('-') && !isOption) {
      script = text
      break
    }
  }
  for (const specifier of preloads) await loader.load(await loader.resolve(specifier, `${start.cwd}/_`, 'require'))
  if (script !== undefined) await loader.load(await loader.resolveFile(absolute(start.cwd, script)), true)
}

class ModuleLoader {
  readonly #start: Start
  readonly #libraries: Libraries
  readonly #packages = new Map<string, Promise<Package | undefined>>()
  readonly #loaded = new Set<string>()

  constructor(start: Start, libraries: Libraries) {
    this.#start = start
    this.#libraries = libraries
  }

  /** Adds a module and all that it loads, in that order. */
  async load(file: string | undefined, isMain = false): Promise<void> {
    const pending = [{ file, everywhere: isMain }]
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const real = next.file === undefined ? undefined : (await this.#start.files.stat(next.file))?.path
      if (real === undefined || this.#loaded.has(real) || this.#loaded.size >= MAX_MODULES) continue
      this.#loaded.add(real)
      if (real.endsWith('.node')) {
        await this.#libraries.loadLibrary(real)
        continue
      }
      await this.#start.add(real)
      if (real.endsWith('.json')) continue
      const scope = await this.#scope(real)
      const isModule = real.endsWith('.mjs') || (!real.endsWith('.cjs') && scope?.json.type === 'module')
      const source = await readSource(this.#start.files, real)
      if (source === undefined) continue
      const found: string[] = []
      for (const { specifier, kind } of scanNode(source, isModule, next.everywhere)) {
        const resolved = await this.resolve(specifier, real, kind)
        if (resolved !== undefined) found.push(resolved)
      }
      for (const each of found.reverse()) pending.push({ file: each, everywhere: false })
    }
  }

  async resolve(specifier: string, from: string, kind: 'import' | 'require'): Promise<string | undefined> {
    if (specifier.startsWith('node:') || isBuiltIn(specifier)) return undefined
    if (/^\.{0,2}\//.test(specifier) || specifier === '.' || specifier === '..') {
      const path = absolute(folderOf(from), specifier)
      return kind === 'import'
        ? (await isFile(this.#start.files, path))
          ? path
          : undefined
        : await this.resolveFile(path)
    }
    if (specifier.startsWith('file://')) return decodeURI(specifier.slice(7))
    if (/^[a-z]+:/.test(specifier)) return undefined
    const conditions = { require: kind === 'require', unsafe: false }
    if (specifier.startsWith('#')) {
      const scope = await this.#scope(from)
      const target =
        scope === undefined ? undefined : attempt(() => importsOf(scope.json as never, specifier, conditions))?.[0]
      if (target === undefined) return undefined
      return target.startsWith('.')
        ? absolute(scope!.folder, target)
        : await this.resolve(target, `${scope!.folder}/_`, kind)
    }
    const [, name = '', rest = ''] = /^((?:@[^/]+\/)?[^/]+)(.*)$/s.exec(specifier) ?? []
    for (const folder of this.#modulesFolders(from)) {
      const package_ = `${folder}/${name}`
      if ((await this.#start.files.stat(package_)) === undefined) {
        if (rest === '' && kind === 'require') {
          const file = await this.resolveFile(package_)
          if (file !== undefined) return file
        }
        continue
      }
      const read = await this.#package(package_)
      if (read?.json.exports != null) {
        const target = attempt(() => exportsOf({ ...read.json, name } as never, `.${rest}`, conditions))?.[0]
        return target === undefined ? undefined : absolute(package_, target)
      }
      return await this.resolveFile(package_ + rest)
    }
    return undefined
  }

  /** As a file, with an extension, or as a folder. */
  async resolveFile(path: string): Promise<string | undefined> {
    const { files } = this.#start
    for (const suffix of ['', '.js', '.json', '.node']) if (await isFile(files, path + suffix)) return path + suffix
    if ((await files.stat(path))?.type !== 'dir') return undefined
    const main = (await this.#package(path))?.json.main
    const bases = [...(typeof main === 'string' && main !== '' ? [absolute(path, main)] : []), path]
    for (const base of bases)
      for (const suffix of ['', '.js', '.json', '.node', '/index.js', '/index.json', '/index.node'])
        if (base !== path || suffix.startsWith('/')) if (await isFile(files, base + suffix)) return base + suffix
    return undefined
  }

  #modulesFolders(from: string): string[] {
    const folders: string[] = []
    for (let folder = folderOf(from); ; folder = folderOf(folder)) {
      if (!folder.endsWith('/node_modules')) folders.push(`${folder === '/' ? '' : folder}/node_modules`)
      if (folder === '/') break
    }
    const more = (this.#start.env.get('NODE_PATH') ?? '').split(':').filter((folder) => folder !== '')
    // Debian's packages are found there
    return [...folders, ...more, '/usr/share/nodejs', '/usr/lib/nodejs', '/usr/lib/node_modules']
  }

  /** The nearest package.json, which tells what `.js` is. Node.js reads it. */
  async #scope(file: string): Promise<Package | undefined> {
    for (let folder = folderOf(file); ; folder = folderOf(folder)) {
      const found = await this.#package(folder)
      if (found !== undefined) return found
      if (folder === '/' || folder.endsWith('/node_modules')) return undefined
    }
  }

  async #package(folder: string): Promise<Package | undefined> {
    let read = this.#packages.get(folder)
    if (read === undefined) {
      read = this.#readPackage(folder)
      this.#packages.set(folder, read)
    }
    return await read
  }

  async #readPackage(folder: string): Promise<Package | undefined> {
    const path = `${folder === '/' ? '' : folder}/package.json`
    const source = await readSource(this.#start.files, path)
    if (source === undefined) return undefined
    await this.#start.add(path)
    const json = attempt(() => JSON.parse(source) as unknown)
    return { folder, json: json !== null && typeof json === 'object' ? json : {} }
  }
}

function isBuiltIn(specifier: string): boolean {
  return builtinModules.includes(specifier)
}

/** Of what an image's files make of it. */
function attempt<Value>(make: () => Value): Value | undefined {
  try {
    return make()
  } catch {
    return undefined
  }
}
