/** Chunks that wait for the second reader. */
const CAPACITY = 4

/**
 * The source as it is, and a copy of each of its chunks for `sink`, so that what is read once goes two ways. At the source's end the sink's is
 * awaited, and what it throws is thrown. A sink that returns early gets no more. When the source fails, or its reader stops before its end, so does the sink's.
 */
export async function* tee(
  source: AsyncIterable<Uint8Array>,
  sink: (content: AsyncIterable<Uint8Array>) => Promise<void>,
): AsyncGenerator<Uint8Array> {
  const queue: Uint8Array[] = []
  let wake = (): void => {}
  let state = 'open' as 'open' | 'ended' | 'failed' | 'satisfied'
  const change = (): Promise<void> => new Promise((resolve) => (wake = resolve))
  const done = sink(content()).finally(() => {
    state = 'satisfied'
    wake()
  })
  done.catch(() => {}) // thrown below

  async function* content(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunk = queue.shift()
      wake()
      if (chunk !== undefined) yield chunk
      else if (state === 'ended') return
      else if (state === 'failed') throw new Error('the other reader stopped')
      else await change()
    }
  }

  try {
    for await (const chunk of source) {
      while (state === 'open' && queue.length >= CAPACITY) await change()
      if (state === 'satisfied') await done
      else {
        queue.push(chunk.slice()) // the reader may transfer what it gets
        wake()
      }
      yield chunk
    }
    if (state === 'open') state = 'ended'
    wake()
    await done
  } finally {
    if (state === 'open') {
      state = 'failed'
      wake()
      await done.catch(() => {})
    }
  }
}
