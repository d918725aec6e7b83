import { TocRecords } from './toc-records.js'

/** Reads a tar given in consecutive segments, as Go's archive/tar does, and keeps one packed record per entry. */
export class TarScanner {
  readonly records: TocRecords
  constructor(records: TocRecords = new TocRecords()) {
    this.records = records
  }
  /** The next bytes of the tar. */
  push(bytes: Uint8Array): void {
    throw new Error(`not there yet: ${bytes.length}`)
  }
  /** No more bytes. */
  end(): void {
    throw new Error('not there yet')
  }
  /** The tar reader's position. */
  get position(): number {
    return 0
  }
  /** True once the end-of-archive was seen: later bytes are padding. */
  get finished(): boolean {
    return false
  }
}
