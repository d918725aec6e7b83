// Small files of a layer, kept while its bytes pass by, so that the layer need not be decoded a second time to get them. They go to a file: in memory they
// could be hundreds of megabytes.
import { writeSync } from 'node:fs'
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
  readonly #fd: number
  #left: number
  /** End of what is in the file. */
  #end = 0
  #captured: CapturedFile[] = []

  constructor({ files, rules, limit, fd }: CaptureOptions) {
    super()
    this.#files = new HotFiles(files)
    this.#rules = rules
    this.#left = limit
    this.#fd = fd
  }

  /** In the tar's order; all but the last are complete. */
  get captured(): readonly CapturedFile[] {
    return this.#captured
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
    this.#captured.push({ offset, size, at: this.#end })
    this.#end += size
  }

  /** The tar's bytes from `position` on, after the entries in them were appended. */
  take(bytes: Uint8Array, position: number): void {
    for (let i = this.#captured.length - 1; i >= 0; i--) {
      const file = this.#captured[i]
      if (file === undefined) return // the one behind could not be written
      const { offset, size, at } = file
      if (offset + size <= position) return // it is complete, as are all before
      const from = Math.max(0, position - offset)
      const start = offset + from - position
      if (start < bytes.length) this.#write(bytes.subarray(start, start + size - from), at + from)
    }
  }

  #write(bytes: Uint8Array, at: number): void {
    try {
      for (let done = 0; done < bytes.length; ) done += writeSync(this.#fd, bytes, done, bytes.length - done, at + done)
    } catch {
      // A full disk: what is there may lack bytes, so the files are read from the layer instead
      this.#captured = []
      this.#left = 0
    }
  }
}
