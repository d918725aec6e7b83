// Small files of a layer kept while its bytes pass by, for whoever would have to decode the layer a second time to get them.
import { HotFiles, isCopied } from '../tar/hot-files.js'
import type { TarHeader } from '../tar/tar-header.js'
import type { PaxRecords } from '../tar/tar-pax.js'
import type { CapturedFile, CaptureOptions, CopyRule } from '../types.js'
import { TocRecords } from '../ztoc/toc-records.js'

const REG = 0x30

/** The layer's entries, and the contents of those that are wanted, as far as they fit into the limit. */
export class CapturingRecords extends TocRecords {
  readonly #files: HotFiles
  readonly #rules: readonly CopyRule[]
  #left: number
  /** In the tar's order; all but the last are complete. */
  readonly captured: CapturedFile[] = []

  constructor({ files, rules, limit }: CaptureOptions) {
    super()
    this.#files = new HotFiles(files)
    this.#rules = rules
    this.#left = limit
  }

  override append(header: TarHeader, offset: number, pax: PaxRecords | undefined): void {
    super.append(header, offset, pax)
    const size = Number(header.size)
    if (header.type !== REG || size === 0 || size > this.#left) return
    const { of, start, end } = header.name
    const name = Buffer.from(of.buffer, of.byteOffset + start, end - start).toString('latin1')
    const ranges = this.#files.rangesOf(name, size)
    if (ranges === undefined || !isCopied(this.#rules, size, ranges)) return
    this.#left -= size
    this.captured.push({ offset, bytes: new Uint8Array(size) })
  }

  /** The tar's bytes from `position` on, after the entries in them were appended. */
  take(bytes: Uint8Array, position: number): void {
    for (let i = this.captured.length - 1; i >= 0; i--) {
      const { offset, bytes: content } = this.captured[i]!
      if (offset + content.length <= position) return // it is complete, as are all before
      const from = Math.max(0, position - offset)
      const start = offset + from - position
      if (start < bytes.length) content.set(bytes.subarray(start, start + content.length - from), from)
    }
  }
}
