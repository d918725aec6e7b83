// What a report page shows: plain JSON, embedded in the page. The page's own code (folder `page`) imports these types only.

export interface ReportData {
  /** As the user named it. */
  readonly image: string
  readonly platform: string
  /** The platform's manifest. */
  readonly digest: string
  readonly sociVersion?: 'v1' | 'v2'
  readonly fargate: {
    readonly eligible: boolean
    readonly inEcr: boolean
    readonly reasons: readonly string[]
    readonly notes: readonly string[]
  }
  /** Bottom first. */
  readonly layers: readonly ReportLayer[]
  readonly files: ReportFiles
  readonly profile?: ReportProfile
  /** Predicted starts, in the order in which they are shown. Empty without a profile. */
  readonly starts: readonly ReportStart[]
  readonly wastes: readonly ReportWaste[]
  readonly commands: readonly { readonly command: string; readonly does: string }[]
}

export interface ReportLayer {
  readonly digest: string
  /** Compressed bytes. */
  readonly size: number
  /** Uncompressed bytes of the tar. */
  readonly unpacked: number
  readonly lazy: boolean
  /** Why it is not lazy. */
  readonly reason?: string
  /** What made the layer, from the image's history. */
  readonly createdBy?: string
  /** Compressed offsets where spans start; the last one ends at `size`. Empty for a layer that is not lazy. */
  readonly spans: readonly number[]
  /** Spans that the profiled start reads, as sorted, disjoint [first, last]. */
  readonly touched: readonly (readonly [first: number, last: number])[]
  readonly ztocSize: number
  /** Regular files, and the bytes of those that upper layers hide. */
  readonly files: number
  readonly hiddenBytes: number
  readonly isStartLayer: boolean
}

/**
 * The image's tree in columns, each directory before what it holds. Node 0 is the root; `parents[i]` is the node that holds node i.
 * Columns keep a page with 100,000 files small.
 */
export interface ReportFiles {
  readonly names: readonly string[]
  readonly parents: readonly number[]
  /** Bytes of a file; 0 for directories and links. */
  readonly sizes: readonly number[]
  /** Index of the layer, -1 for a directory that no layer lists. */
  readonly layers: readonly number[]
  /** A sum of `FILE_DIRECTORY`, `FILE_READ`, `FILE_LINK`. */
  readonly flags: readonly number[]
}

export const FILE_DIRECTORY = 1
/** The profiled start reads it. */
export const FILE_READ = 2
export const FILE_LINK = 4

export interface ReportProfile {
  readonly files: number
  /** Paths of the profile that the image does not have. */
  readonly missing: number
  /** Uncompressed bytes of the files that the start reads. */
  readonly bytes: number
  /** Compressed bytes of the spans they are in. */
  readonly spanBytes: number
}

/** A predicted start. */
export interface ReportStart {
  readonly name: string
  readonly seconds: number
  readonly bytes: number
  readonly requests: number
  readonly isCurrent: boolean
}

export interface ReportWaste {
  readonly kind: 'hidden' | 'duplicate' | 'small-layer'
  /** Bytes that could be saved; 0 where it is not about bytes. */
  readonly bytes: number
  readonly title: string
  readonly detail: string
}
