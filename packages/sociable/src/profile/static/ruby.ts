// What a Ruby program reads at its start: RubyGems and the files that `require` and `require_relative` lead to.
import { isFile, readSource } from './image-files.js'
import type { Libraries } from './libraries.js'
import { absolute, folderOf } from './paths.js'
import type { Start } from './start.js'

const MAX_FEATURES = 10_000
/** MRI loads these before the program, where its version has them (gem_prelude.rb). */
const PRELUDE = [
  'enc/encdb',
  'enc/trans/transdb',
  'rubygems',
  'error_highlight',
  'did_you_mean',
  'syntax_suggest/core_ext',
  'monitor',
]

export async function startRuby(
  start: Start,
  libraries: Libraries,
  executable: string,
  args: readonly string[],
): Promise<void> {
  const { folders, prefix } = await loadPath(start, executable)
  const required: string[] = []
  let script: string | undefined
  for (let i = 0; i < args.length; i++) {
    const argument = args[i]!
    if (argument === '-r' || argument === '-I') {
      const value = args[++i] ?? ''
      if (argument === '-r') required.push(value)
      else folders.unshift(absolute(start.cwd, value))
    } else if (argument.startsWith('-r')) required.push(argument.slice(2))
    else if (argument.startsWith('-I')) folders.unshift(absolute(start.cwd, argument.slice(2)))
    else if (argument === '-e') break
    else if (!argument.startsWith('-')) {
      script = absolute(start.cwd, argument)
      break
    }
  }
  const loader = new Loader(start, libraries, folders)
  const isBare = args.some((argument) => /^--disable(?:-|=)(?:gems?|all)$/.test(argument))
  for (const name of isBare ? PRELUDE.slice(0, 2) : PRELUDE) await loader.require(name)
  if (!isBare) await addGemSpecifications(start, prefix)
  for (const name of required) await loader.require(name)
  if (script !== undefined && (await isFile(start.files, script))) await loader.load(script, true)
}

/** As rbconfig builds it in: site, vendor and standard folders, each with one for the machine. */
async function loadPath(start: Start, executable: string): Promise<{ folders: string[]; prefix: string }> {
  const { files, env } = start
  const real = (await files.stat(executable))?.path ?? executable
  const prefix = folderOf(folderOf(real)).replace(/\/$/, '')
  const folders = (env.get('RUBYLIB') ?? '').split(':').filter((folder) => folder !== '')
  const machines = [...(await files.names(`${prefix}/lib`))].filter((name) => /-linux(?:-|$)/.test(name))
  const local = prefix === '/usr' ? ['/usr/local'] : []
  for (const [base, group] of [
    ...[...local, prefix].map((base) => [base, 'site_ruby'] as const),
    [prefix, 'vendor_ruby'] as const,
    [prefix, ''] as const,
  ]) {
    const root =
      group === ''
        ? `${base}/lib/ruby`
        : base === '/usr/local' || group === 'site_ruby'
          ? `${base}/lib/ruby/site_ruby`
          : `${base}/lib/ruby/vendor_ruby`
    const versions = [...(await files.names(root))].filter((name) => /^\d+\.\d+\.\d+$/.test(name))
    for (const version of versions) {
      const folder = `${root}/${version}`
      folders.push(folder)
      for (const name of await files.names(folder)) if (/-linux/.test(name)) folders.push(`${folder}/${name}`)
      for (const machine of machines)
        folders.push(`${prefix}/lib/${machine}/ruby/${group === '' ? version : `${group}/${version}`}`)
    }
    if (group !== '') folders.push(root)
  }
  // Gems that are installed, as RubyGems puts them into the path when they are required
  for (const folder of await gemFolders(start, prefix))
    for (const gem of await files.names(`${folder}/gems`)) folders.push(`${folder}/gems/${gem}/lib`)
  return { folders, prefix }
}

/** Folders of gems, and of Debian's packages of gems. */
async function gemFolders({ files }: Start, prefix: string): Promise<string[]> {
  const folders: string[] = []
  for (const base of [
    `${prefix}/lib/ruby/gems`,
    '/var/lib/gems',
    '/usr/share/rubygems-integration',
    '/usr/local/bundle',
  ])
    for (const version of ['', ...(await files.names(base))].slice(0, 20)) folders.push(absolute(base, version))
  return folders
}

/** RubyGems reads all of them when a file is required that the standard library does not have. */
async function addGemSpecifications(start: Start, prefix: string): Promise<void> {
  for (const folder of await gemFolders(start, prefix))
    for (const specifications of [`${folder}/specifications/default`, `${folder}/specifications`])
      for (const name of await start.files.names(specifications))
        if (name.endsWith('.gemspec')) await start.add(`${specifications}/${name}`)
}

class Loader {
  readonly #start: Start
  readonly #libraries: Libraries
  readonly #folders: readonly string[]
  readonly #loaded = new Set<string>()

  constructor(start: Start, libraries: Libraries, folders: readonly string[]) {
    this.#start = start
    this.#libraries = libraries
    this.#folders = folders
  }

  async require(name: string): Promise<void> {
    if (name.startsWith('/')) return await this.#loadAny(name)
    for (const folder of this.#folders) {
      const path = await this.#withSuffix(`${folder}/${name}`)
      if (path !== undefined) return await this.load(path)
    }
  }

  async load(path: string, everywhere = false): Promise<void> {
    const real = (await this.#start.files.stat(path))?.path
    if (real === undefined || this.#loaded.has(real) || this.#loaded.size >= MAX_FEATURES) return
    this.#loaded.add(real)
    if (real.endsWith('.so')) return await this.#libraries.loadLibrary(path)
    await this.#start.add(path)
    for (const { name, isRelative } of scanRuby((await readSource(this.#start.files, path)) ?? '', everywhere))
      if (isRelative) await this.#loadAny(absolute(folderOf(real), name))
      else await this.require(name)
  }

  async #loadAny(path: string): Promise<void> {
    const found = await this.#withSuffix(path)
    if (found !== undefined) await this.load(found)
  }

  async #withSuffix(path: string): Promise<string | undefined> {
    for (const suffix of /\.(?:rb|so)$/.test(path) ? [''] : ['.rb', '.so'])
      if (await isFile(this.#start.files, path + suffix)) return path + suffix
    return undefined
  }
}

/** Lines of `require` and `require_relative` with a literal; those in methods only with `everywhere`. */
export function scanRuby(
  source: string,
  everywhere: boolean,
): { readonly name: string; readonly isRelative: boolean }[] {
  const found: { name: string; isRelative: boolean }[] = []
  let method: string | undefined
  for (const line of source.split('\n')) {
    if (/^__END__\s*$/.test(line)) break
    const indent = /^[ \t]*/.exec(line)![0]
    if (method !== undefined) {
      if (indent === method && /^\s*end\b/.test(line)) method = undefined
      if (!everywhere) continue
    } else if (/^\s*(?:private\s+)?def\s/.test(line) && !/[;=]\s*.*\bend\s*$|\)\s*=\s/.test(line)) {
      method = indent
      continue
    }
    const match = /^\s*(?:begin\s+)?(require|require_relative)[ (]\s*["']([^"'#]+)["']\s*\)?(.*)$/.exec(line)
    if (match === null || /\b(?:if|unless)\b.*(?:RUBY_ENGINE|win|mswin|WINDOWS)/i.test(match[3]!)) continue
    found.push({ name: match[2]!, isRelative: match[1] === 'require_relative' })
  }
  return found
}
