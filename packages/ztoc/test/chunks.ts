/** The bytes in pieces of `size`, each a copy as a source would give it. */
export async function* chunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size)
}

/** Pieces of odd and changing sizes, so that every structure is cut somewhere. */
export async function* oddChunks(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  const sizes = [1, 3, 511, 513, 7, 4099, 2, 97]
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length]!
    yield bytes.slice(at, at + size)
    at += size
  }
}
