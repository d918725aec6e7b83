/** The entries of a tar, packed. */
export class TocRecords {
  /** Entries held. */
  get count(): number {
    return 0
  }
  /** Whether any entry has an `SCHILY.xattr.` record or is an opaque whiteout. */
  get hasXattrs(): boolean {
    return false
  }
}
