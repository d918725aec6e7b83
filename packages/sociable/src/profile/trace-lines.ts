/** A longer line is no line of a trace: it is left out. */
const MAX_LINE_LENGTH = 1 << 20

/** The lines of a trace as Latin-1, in batches, without their ends. Holds one batch and one unfinished line at a time. */
export async function* traceLines(source: AsyncIterable<Uint8Array>): AsyncGenerator<readonly string[]> {
  let rest = ''
  let isTooLong = false
  for await (const bytes of source) {
    const lines = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1').split('\n')
    lines[0] = rest + lines[0]!
    if (isTooLong && lines.length > 1) {
      lines.shift()
      isTooLong = false
    }
    rest = lines.pop()!
    if (isTooLong || rest.length > MAX_LINE_LENGTH) {
      isTooLong = true
      rest = ''
    }
    if (lines.length > 0) yield lines.map(withoutReturn)
  }
  if (rest !== '' && !isTooLong) yield [withoutReturn(rest)]
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line
}
