import type { Toc } from './toc.js'

export function decodeZtoc(bytes: Uint8Array): Toc {
  throw new Error(`not there yet: ${bytes.length}`)
}
