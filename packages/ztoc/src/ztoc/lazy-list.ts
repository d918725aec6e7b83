import type { List } from './toc.js'

/** A list whose items `make` makes. */
export class LazyList<T> implements List<T> {
  readonly length: number
  readonly #make: (index: number) => T

  constructor(length: number, make: (index: number) => T) {
    this.length = length
    this.#make = make
  }

  at(index: number): T | undefined {
    const at = index < 0 ? this.length + index : index
    return Number.isInteger(at) && at >= 0 && at < this.length ? this.#make(at) : undefined
  }

  *[Symbol.iterator](): Iterator<T> {
    for (let i = 0; i < this.length; i++) yield this.#make(i)
  }
}
