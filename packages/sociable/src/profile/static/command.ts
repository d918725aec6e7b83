// From an image's entry point to its program: the kernel's way by PATH and shebangs, through shells and wrappers, to an interpreter.
import { isFile, readSource } from './image-files.js'
import { startJava } from './java.js'
import { Libraries } from './libraries.js'
import { startNode } from './node.js'
import { absolute } from './paths.js'
import { startPython } from './python.js'
import { startRuby } from './ruby.js'
import { shellCommands } from './shell.js'
import type { Start, StartConfig } from './start.js'

/** As runc and the shells have it, where an image sets none. */
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
/** A program that starts a program. */
const MAX_DEPTH = 12
/** As the kernel reads of a shebang line (BINPRM_BUF_SIZE). */
const MAX_SHEBANG = 256

/** Programs that run what comes behind their options. */
const WRAPPERS: Readonly<Record<string, RegExp | undefined>> = {
  tini: /^-[peg]$/,
  'tini-static': /^-[peg]$/,
  'dumb-init': /^(?:-r|--rewrite)$/,
  catatonit: undefined,
  gosu: undefined,
  'su-exec': undefined,
  nice: /^-n$/,
  setpriv: undefined,
  stdbuf: /^-[ioe]$/,
  timeout: /^-[ks]$/,
  xargs: undefined,
}
/** Of these the first word is not the command. */
const WITH_USER = /^(?:gosu|su-exec|timeout)$/

export async function followCommand(start: Start, { entrypoint, command }: StartConfig): Promise<void> {
  const runner = new Runner(start)
  await runner.run([...entrypoint, ...command], 0)
}

class Runner {
  readonly #start: Start
  readonly #libraries: Libraries
  readonly #ran = new Set<string>()

  constructor(start: Start) {
    this.#start = start
    this.#libraries = new Libraries(start)
  }

  async run(words: readonly string[], depth: number): Promise<void> {
    const [name, ...args] = words
    if (name === undefined || depth > MAX_DEPTH) return
    const key = words.join('\0')
    if (this.#ran.has(key)) return
    this.#ran.add(key)
    const path = await this.find(name)
    if (path === undefined) {
      if (depth === 0) this.#start.note(`the command ${name} is not in the image`)
      return
    }
    const head = (await this.#start.files.read(path, 0, MAX_SHEBANG)) ?? Buffer.alloc(0)
    if (head.length >= 2 && head.toString('latin1', 0, 2) === '#!') {
      const line = head.toString('utf8', 2).split('\n')[0]!.trim()
      const [, interpreter = '', argument] = /^(\S+)\s*(.*)$/s.exec(line) ?? []
      await this.#start.add(path)
      await this.run(
        [interpreter, ...(argument === undefined || argument === '' ? [] : [argument]), path, ...args],
        depth + 1,
      )
      return
    }
    if (await this.#libraries.loadProgram(path)) await this.#program(path, args, depth)
    else {
      // The shells run a file without a shebang themselves
      await this.#start.add(path)
      await this.#script((await readSource(this.#start.files, path)) ?? '', args, depth)
    }
  }

  async find(name: string): Promise<string | undefined> {
    const { files, env, cwd } = this.#start
    if (name.includes('/')) return (await isFile(files, absolute(cwd, name))) ? absolute(cwd, name) : undefined
    for (const folder of (env.get('PATH') ?? DEFAULT_PATH).split(':')) {
      const path = absolute(cwd, `${folder}/${name}`)
      if (await isFile(files, path)) return path
    }
    return undefined
  }

  async #program(path: string, args: readonly string[], depth: number): Promise<void> {
    const start = this.#start
    const named = path.slice(path.lastIndexOf('/') + 1)
    const real = ((await start.files.stat(path))?.path ?? path).split('/').at(-1)!
    const is = (pattern: RegExp): boolean => pattern.test(named) || pattern.test(real)
    if (named === 'env') {
      const at = args.findIndex((argument) => !/^-|^\w+=/.test(argument))
      // `env -S "node --flag"` in a shebang is one word
      const split = args.findIndex((argument) => /^-S|^--split-string/.test(argument))
      const words =
        split >= 0
          ? [...args[split]!.replace(/^-S\s*|^--split-string=?/, '').split(/\s+/), ...args.slice(split + 1)]
          : args.slice(at)
      await this.run(
        words.filter((word) => word !== ''),
        depth + 1,
      )
    } else if (is(/^(?:sh|bash|dash|ash|busybox)$/)) await this.#shell(args, depth)
    else if (is(/^python[\d.]*$/)) await startPython(start, this.#libraries, path, args)
    else if (is(/^(?:node|nodejs)$/)) await startNode(start, this.#libraries, args)
    else if (is(/^java$/)) await startJava(start, this.#libraries, path, args)
    else if (is(/^ruby[\d.]*$/)) await startRuby(start, this.#libraries, path, args)
    else if (named in WRAPPERS) {
      const withValue = WRAPPERS[named]
      let at = 0
      while (at < args.length && args[at]!.startsWith('-') && args[at] !== '--')
        at += withValue?.test(args[at]!) ? 2 : 1
      if (args[at] === '--') at++
      if (WITH_USER.test(named)) at++
      await this.run(args.slice(at), depth + 1)
    }
  }

  async #shell(args: readonly string[], depth: number): Promise<void> {
    const at = args.findIndex((argument) => !/^[-+]/.test(argument))
    const isCode = args.slice(0, Math.max(0, at)).some((argument) => /^-\w*c/.test(argument))
    const script = args[at]
    if (script === undefined) return
    if (isCode) return await this.#script(script, args.slice(at + 2), depth)
    const path = absolute(this.#start.cwd, script)
    await this.#start.add(path)
    await this.#script((await readSource(this.#start.files, path)) ?? '', args.slice(at + 1), depth)
  }

  async #script(source: string, args: readonly string[], depth: number): Promise<void> {
    for (const { words } of shellCommands(source, args)) {
      if ((words[0] === '.' || words[0] === 'source') && words[1] !== undefined) {
        const path = await this.find(words[1])
        if (path !== undefined && (await this.#start.add(path)) && depth < MAX_DEPTH)
          await this.#script((await readSource(this.#start.files, path)) ?? '', [], depth + 1)
      } else if (!BUILT_IN.has(words[0]!))
        await this.run(
          words.map((word) => this.#expand(word)),
          depth + 1,
        )
    }
  }

  #expand(word: string): string {
    return word.replace(/\$(?:\{(\w+)(?::?-([^}]*))?\}|(\w+))/g, (all, braced, fallback, plain) => {
      return this.#start.env.get(braced ?? plain) ?? fallback ?? (plain === undefined ? '' : all)
    })
  }
}

const BUILT_IN = new Set(
  (
    '[ alias bg break cd command continue echo eval exit export false fg fi done esac case for function getopts hash in jobs kill let local ' +
    'printf pwd read readonly return select set shift test times trap true type typeset ulimit umask unalias unset wait } : declare'
  ).split(' '),
)
