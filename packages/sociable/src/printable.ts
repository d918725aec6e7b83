// Text from an image, a registry, a file system or the environment, made safe for a terminal, a log and JSON.

/**
 * Characters that move a cursor, start a line, change colours or turn the reading direction around: the control characters C0 and C1, DEL, the line and
 * paragraph separators, the bidirectional controls, and lone surrogates (of which the first stands for a byte that is not UTF-8).
 */
const UNSAFE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

/** Commands that CI services take from a log, at the start of a line: GitHub's `::error::`, Azure's `##vso[`. */
const LOG_COMMAND = /^(\s*)(:|#)(?=:|#)/

/** One line of text: every unsafe character is `?`, and no log takes it for a command. */
export function printable(text: string): string {
  return text.replace(UNSAFE, '?').replace(LOG_COMMAND, '$1$2 ')
}

/** Whether a line can be printed as it is. */
export function isPrintable(text: string): boolean {
  return text.search(UNSAFE) < 0 && !LOG_COMMAND.test(text)
}

/** A JSON document whose text has no unsafe character: those in strings are `\u` escapes, which mean the same. */
export function printableJson(document: unknown, indent?: number): string {
  const text = JSON.stringify(document, undefined, indent) ?? 'null'
  return text.replace(UNSAFE, (character) =>
    character === '\n' ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
