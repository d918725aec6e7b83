/** Bytes that downloads hold ahead of their readers. With what connections and their code take, that adds some 64 MB to a process (measured). */
export const READ_AHEAD = 40 << 20

/** Bytes of those that some work may take which are for reading ahead: a quarter, at most READ_AHEAD. */
export function readAhead(memory: number): number {
  return Math.floor(Math.min(READ_AHEAD, memory / 4))
}
