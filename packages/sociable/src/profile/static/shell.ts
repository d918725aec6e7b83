// The commands of a shell script: words where a command is expected.

/** Longer scripts are cut. */
const MAX_COMMANDS = 2000

export interface ShellCommand {
  readonly words: readonly string[]
}

const KEYWORDS = /^(?:if|then|elif|else|while|until|do|!|\{|time)$/
const PREFIXES = /^(?:exec|command|env|nohup|sudo)$/

/**
 * Commands of a script, in the order of the source; `$@` as the arguments. Variables stay as they are.
 * Bodies of functions, branches and loops count as run.
 */
export function shellCommands(source: string, args: readonly string[]): ShellCommand[] {
  const commands: ShellCommand[] = []
  const text = source.replace(/\\\n/g, ' ').replace(/<<-?\s*(['"]?)(\w+)\1[^\n]*\n[\s\S]*?\n\s*\2(?=\n|$)/g, ' ')
  for (const line of text.split('\n')) {
    for (const part of splitCommands(withoutComment(line))) {
      const words = wordsOf(part, args)
      while (words.length > 0 && (KEYWORDS.test(words[0]!) || PREFIXES.test(words[0]!) || /^\w+=/.test(words[0]!)))
        words.shift()
      if (words.length > 0 && commands.length < MAX_COMMANDS) commands.push({ words })
    }
  }
  return commands
}

function withoutComment(line: string): string {
  return /^\s*#/.test(line) ? '' : line.replace(/\s#(?=[^'"]*$).*$/, '')
}

/** At `;`, `&&`, `||`, `|`, `&`, `$(`, backquotes and parentheses outside of single quotes. */
function splitCommands(line: string): string[] {
  const parts: string[] = []
  let part = ''
  let isSingle = false
  for (let at = 0; at < line.length; at++) {
    const character = line[at]!
    if (character === "'") isSingle = !isSingle
    if (!isSingle && character === '\\') {
      part += character + (line[++at] ?? '')
    } else if (!isSingle && (';|`)('.includes(character) || (character === '&' && !/[<>]/.test(line[at - 1] ?? '')))) {
      if (character === '(' && part.endsWith('$')) part = part.slice(0, -1)
      parts.push(part)
      part = ''
    } else part += character
  }
  return [...parts, part]
}

function wordsOf(part: string, args: readonly string[]): string[] {
  const words: string[] = []
  for (const [word] of part.matchAll(/(?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s"'\\])+/g)) {
    if (/^\d*[<>]/.test(word)) continue
    if (word === '"$@"' || word === '$@' || word === '$*') words.push(...args)
    else words.push(word.replace(/^(["'])(.*)\1$/s, '$2'))
  }
  return words
}
