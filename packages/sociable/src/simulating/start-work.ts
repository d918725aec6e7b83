// What a start has to fetch and to do, for one way of converting an image. Pure: it reads nothing.

/** A place in a gzip layer where decompression can begin. */
export interface Point {
  /** Compressed offset. */
  readonly in: number
  /** Offset in the tar. */
  readonly out: number
}

/** A layer, as far as a start depends on it. */
export interface SimulatedLayer {
  readonly digest: string
  /** Compressed bytes. */
  readonly size: number
  /** Bytes of the tar. */
  readonly unpacked: number
  /** Entries of the tar. */
  readonly entries: number
  /** Whether a SOCI index can cover it: zstd layers are pulled whole. */
  readonly canBeLazy: boolean
  /** In ascending order; the first one is the layer's start. */
  readonly points: readonly Point[]
}

/** A file that a start reads. */
export interface SimulatedFile {
  /** Index of its layer. */
  readonly layer: number
  readonly size: number
  /** The parts of the layer's tar that are read, sorted and disjoint. */
  readonly parts: readonly (readonly [start: number, end: number])[]
}

/** A way of converting the image. */
export interface Conversion {
  /** Uncompressed bytes of a span. */
  readonly spanSize: number
  /** Layers of fewer compressed bytes are pulled whole. */
  readonly minLayerSize: number
  /** Whether spans are cut by the profile, and prefetched. */
  readonly profileSpans: boolean
  /** Uncompressed bytes of a span of what a start does not read, if the profile decides. @default 16 MiB */
  readonly coldSpanSize?: number | undefined
  /** The files that are copied into a start layer. */
  readonly copied: ReadonlySet<SimulatedFile>
}

/** What is fetched and done before a container has read what its start reads. */
export interface StartWork {
  /** Bytes of zTOCs. */
  readonly ztocBytes: number
  /** Entries of the zTOCs, which the snapshotter parses. */
  readonly entries: number
  /** Layers that are pulled and unpacked before the start. */
  readonly whole: readonly { readonly size: number; readonly unpacked: number }[]
  /** Spans that are fetched while the container waits for them: compressed bytes of each. */
  readonly waited: readonly number[]
  /** Spans that are fetched ahead, in parallel. */
  readonly prefetched: readonly number[]
  /** Files that are read through FUSE, and their uncompressed bytes that are read. */
  readonly fuseFiles: number
  readonly fuseBytes: number
}

/** Bytes of a span in a zTOC: a window of 32 KiB, its checkpoint and digest. */
const SPAN_RECORD = (32 << 10) + 120
/** Bytes of a file in a zTOC, on average. */
const ENTRY_RECORD = 200
const COLD_SPAN_SIZE = 16 << 20
/** Compressed bytes: parts that are nearer to one another share a span. */
const MERGED_GAP = 128 << 10
/** Uncompressed bytes between two blocks of a deflate stream, where a span can be cut. */
const BLOCK = 45_000
/** What a file takes in a tar besides its bytes: header and padding. */
const TAR_OVERHEAD = 1024

/** The layers of a whole pull. */
export function wholePull(layers: readonly SimulatedLayer[]): StartWork {
  const whole = layers.map(({ size, unpacked }) => ({ size, unpacked }))
  return { ztocBytes: 0, entries: 0, whole, waited: [], prefetched: [], fuseFiles: 0, fuseBytes: 0 }
}

export function lazyStart(
  layers: readonly SimulatedLayer[],
  files: readonly SimulatedFile[],
  { spanSize, minLayerSize, profileSpans, coldSpanSize = COLD_SPAN_SIZE, copied }: Conversion,
): StartWork {
  const whole: { size: number; unpacked: number }[] = []
  const waited: number[] = []
  const prefetched: number[] = []
  let [ztocBytes, entries, fuseFiles, fuseBytes] = [0, 0, 0, 0]
  layers.forEach((layer, index) => {
    if (!layer.canBeLazy || layer.size < minLayerSize) {
      whole.push({ size: layer.size, unpacked: layer.unpacked })
      return
    }
    const own = files.filter((file) => file.layer === index && !copied.has(file))
    const parts = joinParts(own.flatMap((file) => file.parts))
    const spans = profileSpans ? cutSpans(layer, parts) : touchedSpans(layer, parts, spanSize)
    const spanCount = profileSpans ? 2 * spans.length + layer.unpacked / coldSpanSize : layer.unpacked / spanSize
    ;(profileSpans ? prefetched : waited).push(...spans)
    ztocBytes += Math.ceil(spanCount) * SPAN_RECORD + layer.entries * ENTRY_RECORD
    entries += layer.entries
    fuseFiles += own.length
    fuseBytes += parts.reduce((sum, [start, end]) => sum + end - start, 0)
  })
  if (copied.size > 0) whole.push(startLayer(layers, copied))
  return { ztocBytes, entries, whole, waited, prefetched, fuseFiles, fuseBytes }
}

/** Bytes of a start layer by those that its files take in their layers: it is compressed at a lower level. */
const START_LAYER_RATIO = 1.15

/** Its size, if its files compress as the layers do that they are in. */
export function startLayer(
  layers: readonly SimulatedLayer[],
  copied: Iterable<SimulatedFile>,
): { readonly size: number; readonly unpacked: number } {
  let [size, unpacked] = [0, 0]
  for (const file of copied) {
    unpacked += file.size + TAR_OVERHEAD
    size += Math.min(file.size, file.size * ratioOf(layers[file.layer]!) * START_LAYER_RATIO)
  }
  return { size: Math.round(size), unpacked }
}

export function ratioOf({ size, unpacked }: SimulatedLayer): number {
  return unpacked === 0 ? 1 : Math.min(1, size / unpacked)
}

/** Compressed bytes of each span with any of the parts. Spans are those of the points, joined until they have the size. */
function touchedSpans(
  { points, size, unpacked }: SimulatedLayer,
  parts: readonly (readonly [number, number])[],
  spanSize: number,
): number[] {
  const starts = points.filter(everyPoint(spanSize))
  const touched: number[] = []
  let part = 0
  starts.forEach((start, i) => {
    const next = starts[i + 1] ?? { in: size, out: unpacked }
    while (part < parts.length && parts[part]![1] <= start.out) part++
    if (part < parts.length && parts[part]![0] < next.out) touched.push(next.in - start.in)
  })
  return touched
}

/** Keeps a point if the span before it has the size. */
function everyPoint(spanSize: number): (point: Point) => boolean {
  let before: number | undefined
  return ({ out }) => {
    if (before !== undefined && out - before < spanSize) return false
    before = out
    return true
  }
}

/** Compressed bytes of spans that are cut where the parts begin and end, at the next boundaries of deflate blocks. */
function cutSpans(layer: SimulatedLayer, parts: readonly (readonly [number, number])[]): number[] {
  const spans: [number, number][] = []
  for (const [start, end] of parts) {
    const from = compressedOffset(layer, start - BLOCK / 2)
    const to = compressedOffset(layer, end + BLOCK / 2)
    const last = spans.at(-1)
    if (last !== undefined && from - last[1] < MERGED_GAP) last[1] = Math.max(last[1], to)
    else spans.push([from, to])
  }
  return spans.map(([from, to]) => to - from)
}

/** Where a byte of the tar is in the layer, if what is between two points compresses evenly. */
function compressedOffset({ points, size, unpacked }: SimulatedLayer, offset: number): number {
  const at = Math.min(Math.max(offset, 0), unpacked)
  let [first, last] = [0, points.length - 1]
  while (first < last) {
    const middle = Math.ceil((first + last) / 2)
    if (points[middle]!.out <= at) first = middle
    else last = middle - 1
  }
  const from = points[first] ?? { in: 0, out: 0 }
  const to = points[first + 1] ?? { in: size, out: unpacked }
  return to.out === from.out ? from.in : from.in + ((at - from.out) / (to.out - from.out)) * (to.in - from.in)
}

/** Sorted and disjoint. */
function joinParts(parts: readonly (readonly [number, number])[]): [number, number][] {
  const joined: [number, number][] = []
  for (const [start, end] of [...parts].sort((a, b) => a[0] - b[0])) {
    const last = joined.at(-1)
    if (last !== undefined && start <= last[1]) last[1] = Math.max(last[1], end)
    else joined.push([start, end])
  }
  return joined
}
