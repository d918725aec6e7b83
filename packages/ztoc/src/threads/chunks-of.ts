/** The content in chunks of `size` bytes, the last one shorter. Pieces of the content may be written over once the next one is asked for. @param make memory for a chunk */
export async function* chunksOf(
  content: AsyncIterable<Uint8Array>,
  size: number,
  make: () => Uint8Array<ArrayBuffer> = () => new Uint8Array(size),
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let chunk = make()
  let filled = 0
  for await (const piece of content)
    for (let from = 0; from < piece.length; ) {
      const part = piece.subarray(from, from + size - filled)
      chunk.set(part, filled)
      filled += part.length
      from += part.length
      if (filled < size) continue
      yield chunk
      chunk = make()
      filled = 0
    }
  if (filled > 0) yield chunk.subarray(0, filled)
}
