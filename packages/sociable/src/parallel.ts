/**
 * Does `work` for every item, at most `limit` at once, begun in the items' order; results in that order. When one fails the signal of the
 * others is aborted, all come to an end, and the first error is thrown.
 */
export async function parallel<Item, Result>(
  items: readonly Item[],
  limit: number,
  signal: AbortSignal | undefined,
  work: (item: Item, signal: AbortSignal) => Promise<Result>,
): Promise<Result[]> {
  const failure = new AbortController()
  const both = signal === undefined ? failure.signal : AbortSignal.any([signal, failure.signal])
  const results = new Array<Result>(items.length)
  const errors: unknown[] = []
  let next = 0
  const runner = async (): Promise<void> => {
    while (next < items.length) {
      const i = next++
      both.throwIfAborted()
      results[i] = await work(items[i]!, both)
    }
  }
  const guarded = async (): Promise<void> => {
    try {
      await runner()
    } catch (error) {
      errors.push(error)
      failure.abort(error)
    }
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, guarded))
  if (errors.length > 0) throw errors[0]
  return results
}
