import { random } from './bytes.mjs'

/** Choices from one seed: the same seed gives the same ones. */
export class Dice {
  #next
  constructor(seed) {
    this.#next = random(seed)
  }

  /** An integer below `limit`. */
  below(limit) {
    return Math.floor(this.#next() * limit)
  }

  chance(probability) {
    return this.#next() < probability
  }

  pick(list) {
    return list[this.below(list.length)]
  }

  /** Every item with the probability, in order. */
  some(list, probability = 0.5) {
    return list.filter(() => this.chance(probability))
  }
}
