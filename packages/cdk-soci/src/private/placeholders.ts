/** For character classes of patterns: one character for something that is only known when the stack is deployed. */
export const UNKNOWN = '\\ue000-\\uf8ff' // private use characters, which no name of an image may contain

const FIRST = 0xe000
const LAST = 0xf8ff

/** Lets patterns take texts apart that have unknown values in them. */
export class Placeholders<T> {
  readonly #values: T[] = []

  /** A character that stands for the value. */
  add(value: T): string {
    const code = FIRST + this.#values.push(value) - 1
    if (code > LAST) throw new Error(`a text has more than ${LAST - FIRST + 1} tokens`)
    return String.fromCharCode(code)
  }

  /** The text, with what `write` makes of the values in their places. */
  restore(text: string, write: (value: T) => string): string {
    return text.replace(new RegExp(`[${UNKNOWN}]`, 'g'), (character) => {
      const value = this.#values[character.charCodeAt(0) - FIRST]
      return value === undefined ? character : write(value)
    })
  }
}
