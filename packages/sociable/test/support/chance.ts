// Chance that can be had again: the same seed and the same question have the same answer, in whatever order the questions come.
import { createHash } from 'node:crypto'

export interface Chance {
  readonly seed: number
  /** From 0 up to, but not, 1. */
  of(question: string): number
  /** A whole number from 0 to `below` - 1. */
  below(below: number, question: string): number
}

export function chance(seed: number): Chance {
  const of = (question: string) => createHash('sha256').update(`${seed} ${question}`).digest().readUInt32LE() / 2 ** 32
  return { seed, of, below: (below, question) => Math.floor(of(question) * below) }
}

/**
 * The seeds of a simulation: from `SOCIABLE_TEST_SEED` (1) on, as many as `SOCIABLE_TEST_RUNS` says. So a failure can be run again, and a long
 * simulation by hand goes where CI never was.
 */
export function seeds(count: number): number[] {
  const { SOCIABLE_TEST_SEED: first = '1', SOCIABLE_TEST_RUNS: runs = String(count) } = process.env
  return Array.from({ length: Number(runs) }, (_, i) => Number(first) + i)
}

/** What to run when this seed has failed. */
export function again(seed: number): string {
  return `seed ${seed}; SOCIABLE_TEST_SEED=${seed} SOCIABLE_TEST_RUNS=1 runs it again`
}
