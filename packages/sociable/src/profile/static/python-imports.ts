// The imports of Python source that run when a module is loaded. No parser: lines are joined and indented blocks followed, which is enough for imports.

export interface PythonImport {
  /** Dotted; '' for `from . import a`. */
  readonly module: string
  /** Dots in front. */
  readonly level: number
  /** Of `from module import names`. */
  readonly names: readonly string[]
  /** The `try` whose body it is in. */
  readonly attempt?: number
  /** Runs only if an import of that `try` fails. */
  readonly unless?: number
  /** In a branch of that `try` that may not run: if the import fails, the `try` goes on. */
  readonly isConditional?: true
}

export interface PythonScanOptions {
  readonly version: readonly [major: number, minor: number]
  /** It runs as `__main__`. */
  readonly isMain?: boolean
  /** Functions that are called, besides those that the module itself calls. */
  readonly called?: readonly string[]
}

interface Line {
  readonly indent: number
  readonly text: string
}

/** Longer sources are cut. */
const MAX_LINES = 200_000

/** Logical lines: continuations joined, comments gone, strings emptied unless they are short. */
export function logicalLines(source: string): Line[] {
  const lines: Line[] = []
  let text = ''
  let indent = 0
  let depth = 0
  let isStart = true
  const end = (): void => {
    if (text.trim() !== '')
      for (const part of splitStatements(text.trim())) if (lines.length < MAX_LINES) lines.push({ indent, text: part })
    text = ''
    isStart = true
  }
  for (let at = 0; at < source.length; ) {
    const character = source[at]!
    if (isStart) {
      indent = 0
      while (source[at] === ' ' || source[at] === '\t') indent += source[at++] === '\t' ? 8 - (indent % 8) : 1
      isStart = false
      continue
    }
    if (character === '#') {
      while (at < source.length && source[at] !== '\n') at++
    } else if (character === '"' || character === "'") {
      const quote = source.startsWith(character.repeat(3), at) ? character.repeat(3) : character
      const from = at + quote.length
      let to = from
      while (to < source.length && !source.startsWith(quote, to)) {
        if (source[to] === '\n' && quote.length === 1) break
        to += source[to] === '\\' ? 2 : 1
      }
      const content = source.slice(from, to)
      text += /^[\w.:-]{0,100}$/.test(content) ? `"${content}"` : '""'
      at = to + (source[to] === '\n' && quote.length === 1 ? 0 : quote.length)
    } else if (character === '\\' && /^\r?\n/.test(source.slice(at + 1, at + 3))) at = source.indexOf('\n', at) + 1
    else if (character === '\n') {
      if (depth === 0) end()
      else text += ' '
      at++
    } else {
      if ('([{'.includes(character)) depth++
      else if (')]}'.includes(character)) depth = Math.max(0, depth - 1)
      text += character
      at++
    }
  }
  end()
  return lines
}

function splitStatements(text: string): string[] {
  if (!text.includes(';')) return [text]
  return text.split(';').map((part) => part.trim())
}

type Block = {
  readonly indent: number
  readonly runs: boolean
  /** The top-level function whose body this is. */
  readonly function?: string
  readonly attempt?: number
  readonly unless?: number
  readonly isConditional?: true
}

const HEADER =
  /^(?:async\s+)?(def|class|if|elif|else|try|except|finally|for|while|with|match|case)\b(.*?):(?=[^=]|$)(.*)$/s
const NOT_CALLED = /^(?:def|class|if|elif|while|return|assert|del|not|and|or|in|is|lambda|print|super)$/

/** In the order of the source. */
export function scanPython(source: string, options: PythonScanOptions): PythonImport[] {
  const found: (PythonImport & { readonly function?: string })[] = []
  const calls = new Map<string | undefined, Set<string>>()
  const blocks: Block[] = []
  /** Of the `if` or `try` that was last seen at an indent. */
  const chains = new Map<number, { taken: boolean | undefined; attempt: number | undefined }>()
  /** Names that a loop's variable stands for: `for name in ("a", "b"):`. */
  const loops = new Map<string, readonly string[]>()
  let attempts = 0
  for (const { indent, text } of logicalLines(source)) {
    const [, variable, list] = LOOP.exec(text) ?? []
    if (variable !== undefined)
      loops.set(
        variable,
        [...list!.matchAll(/"([\w.]+)"/g)].map(([, name]) => name!),
      )
    while (blocks.length > 0 && blocks.at(-1)!.indent >= indent) blocks.pop()
    const outer = blocks.at(-1)
    const runs = outer?.runs ?? true
    const within = outer?.function
    const header = HEADER.exec(text)
    let statement = text
    if (header !== null) {
      const [, kind, condition = '', rest = ''] = header
      const block = { indent, runs, ...inherit(outer) }
      if (kind === 'def') {
        // Bodies of functions run when they are called: those of the module's own are looked at by name
        const name = /^\s*(\w+)/.exec(condition)?.[1] ?? ''
        const isTop = indent === 0 || (within === undefined && outer !== undefined && runs && !isInClass(blocks))
        blocks.push({ ...block, runs: runs && (isTop || options.isMain === true), function: within ?? name })
        if (!isTop && within === undefined && options.isMain !== true)
          blocks[blocks.length - 1] = { indent, runs: false }
        continue
      }
      if (kind === 'class') blocks.push({ ...block, ...(within !== undefined && { function: within }) })
      else if (kind === 'if') {
        const taken = decide(condition, options)
        chains.set(indent, { taken, attempt: undefined })
        blocks.push({ ...block, runs: runs && taken !== false, ...conditional(taken) })
      } else if (kind === 'elif') {
        const before = chains.get(indent)?.taken
        const taken = before === true ? false : decide(condition, options)
        chains.set(indent, { taken: before === true ? true : taken, attempt: undefined })
        blocks.push({ ...block, runs: runs && taken !== false, isConditional: true })
      } else if (kind === 'try') {
        chains.set(indent, { taken: undefined, attempt: ++attempts })
        const { isConditional: _, ...unconditional } = block
        blocks.push({ ...unconditional, attempt: attempts })
      } else if (kind === 'except') {
        const attempt = chains.get(indent)?.attempt
        blocks.push({ ...block, ...(attempt === undefined ? {} : { unless: attempt }) })
      } else if (kind === 'else') {
        const taken = chains.get(indent)?.taken
        blocks.push({ ...block, runs: runs && taken !== true, ...conditional(taken) })
      } else blocks.push(block)
      noteCalls(condition, within)
      statement = rest.trim()
      if (statement === '') continue
    }
    const inner = blocks.at(-1)
    const block = header === null ? outer : inner
    if (!(block?.runs ?? true)) continue
    for (const each of importsOf(statement, loops)) found.push({ ...each, ...inherit(block) })
    noteCalls(statement, block?.function)
  }
  return called(found, calls, options)

  function noteCalls(text: string, within: string | undefined): void {
    const names = calls.get(within) ?? new Set()
    calls.set(within, names)
    for (const [, name] of text.matchAll(/(?<![\w.])([A-Za-z_]\w*)\s*\(/g))
      if (!NOT_CALLED.test(name!)) names.add(name!)
    const decorator = /^@([A-Za-z_]\w*)/.exec(text)?.[1]
    if (decorator !== undefined) names.add(decorator)
  }
}

function isInClass(blocks: readonly Block[]): boolean {
  return blocks.some(({ runs }) => !runs)
}

/** Of a branch whose condition could not be decided. */
function conditional(taken: boolean | undefined): Pick<Block, 'isConditional'> {
  return taken === undefined ? { isConditional: true } : {}
}

function inherit(block: Block | undefined): Pick<Block, 'function' | 'attempt' | 'unless' | 'isConditional'> {
  if (block === undefined) return {}
  const { attempt, unless, isConditional } = block
  return {
    ...(block.function !== undefined && { function: block.function }),
    ...(attempt !== undefined && { attempt }),
    ...(unless !== undefined && { unless }),
    ...(isConditional && { isConditional }),
  }
}

/** What runs: outside of functions, and in those that are called from there. */
function called(
  found: readonly (PythonImport & { readonly function?: string })[],
  calls: ReadonlyMap<string | undefined, ReadonlySet<string>>,
  { isMain, called = [] }: PythonScanOptions,
): PythonImport[] {
  const running = new Set<string>()
  const pending = [...(calls.get(undefined) ?? []), ...called]
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (running.has(name)) continue
    running.add(name)
    pending.push(...(calls.get(name) ?? []))
  }
  return found
    .filter((each) => isMain === true || each.function === undefined || running.has(each.function))
    .map(({ function: _, ...each }) => each)
}

/** Whether a condition that depends on the system holds on Linux; undefined where it depends on more. */
function decide(condition: string, { version, isMain }: PythonScanOptions): boolean | undefined {
  const text = condition
    .trim()
    .replace(/^\((.*)\)$/s, '$1')
    .trim()
  if (/\b(?:and|or)\b/.test(text)) {
    const parts = text.split(/\band\b/)
    return parts.length > 1 &&
      parts.some((part) => !/\bor\b/.test(part) && decide(part, { version, isMain: isMain === true }) === false)
      ? false
      : undefined
  }
  if (/^not\s/.test(text)) {
    const decided = decide(text.slice(4), { version, isMain: isMain === true })
    return decided === undefined ? undefined : !decided
  }
  if (/^(?:typing\.|t\.)?TYPE_CHECKING$/.test(text) || text === 'False' || text === '0') return false
  if (text === 'True' || text === '1' || text === '__debug__') return true
  const main = /^__name__\s*([!=])=\s*"__main__"$/.exec(text)
  if (main !== null) return (isMain === true) === (main[1] === '=')
  const platform =
    /^(?:sys\.platform|os\.name|platform\.system\(\)|_?sys\.implementation\.name)\s*([!=])=\s*"(\w*)"$/.exec(text)
  if (platform !== null) return /^(?:linux|posix|Linux|cpython)$/.test(platform[2]!) === (platform[1] === '=')
  const prefix = /^sys\.platform\.startswith\(\s*"(\w+)"\s*\)$/.exec(text)
  if (prefix !== null) return 'linux'.startsWith(prefix[1]!)
  const compared = /^sys\.version_info(?:\[:2\])?\s*(>=|<=|<|>|==)\s*\(\s*(\d+)\s*(?:,\s*(\d+))?[^)]*\)$/.exec(text)
  if (compared === null) return undefined
  const difference = (version[0] - Number(compared[2])) * 1000 + version[1] - Number(compared[3] ?? 0)
  // A version has more parts than the two that are compared
  if (compared[1] === '>=' || compared[1] === '>') return difference >= 0
  return compared[1] === '==' ? difference === 0 : difference < 0
}

const LOOP = /^for\s+(\w+)\s+in\s*[([]\s*((?:"[\w.]+"\s*,?\s*)+)[)\]]\s*:/

function importsOf(statement: string, loops: ReadonlyMap<string, readonly string[]>): PythonImport[] {
  const plain = /^import\s+(.+)$/s.exec(statement)
  if (plain !== null)
    return plain[1]!.split(',').flatMap((part) => {
      const module = /^\s*([\w.]+)/.exec(part)?.[1]
      return module === undefined ? [] : [{ module, level: 0, names: [] }]
    })
  const from = /^from\s*(\.*)\s*([\w.]*)\s*import\s*\(?(.+?)\)?$/s.exec(statement)
  if (from !== null) {
    const names = from[3]!.split(',').flatMap((part) => /^\s*(\w+|\*)/.exec(part)?.[1] ?? [])
    return [{ module: from[2]!, level: from[1]!.length, names }]
  }
  const found: PythonImport[] = []
  for (const [, literal, variable] of statement.matchAll(
    /\b(?:import_module|__import__)\(\s*(?:"([\w.]+)"|(\w+)\s*[,)])/g,
  ))
    for (const name of literal === undefined ? (loops.get(variable!) ?? []) : [literal]) {
      const level = /^\.*/.exec(name)![0].length
      found.push({ module: name.slice(level), level, names: [] })
    }
  return found
}
