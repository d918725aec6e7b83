import { LayerFormatError } from '../error.js'
import type { CaptureOptions, Compression, HotSpans, IndexedLayer } from '../types.js'
import { unloadableReason } from '../ztoc/loadable.js'
import { encodeTarZinfo, gzipZinfoHeader } from '../ztoc/zinfo.js'
import { encodeZtoc } from '../ztoc/ztoc-encode.js'
import type { DigestAlgorithm, LayerDigests } from './layer-digester.js'

/** What was asked of a layer. */
export interface LayerJob {
  readonly compression: Compression
  readonly spanSize: number
  /** For gzip: what spans are cut by. */
  readonly hot: HotSpans | undefined
  readonly capture: CaptureOptions | undefined
  /** Uncompressed bytes that the layer may have; undefined for what `layer-limit.ts` has. */
  readonly limit: number | undefined
  readonly buildTool: string
  /** The one that `expected.digest` asks for. */
  readonly algorithm: DigestAlgorithm
  readonly expected: { readonly digest?: string; readonly size?: number } | undefined
}

/** Puts a layer's zTOC together from what its bytes gave, after checking that they were the bytes expected. `checkpoints`: packed, for gzip. */
export function finishLayer(
  job: LayerJob,
  digests: LayerDigests,
  checkpoints: readonly Uint8Array[],
  count: number,
): IndexedLayer {
  const { compression, spanSize, buildTool } = job
  const { digest, size, tar } = digests
  checkExpected(job, digest, size)
  const spans = digests.spanDigests.length / 32
  const unloadable = unloadableReason(tar.records) // encoding uses the records up
  const ztoc = encodeZtoc({
    buildTool,
    compression,
    compressedSize: size,
    uncompressedSize: tar.position,
    records: tar.records,
    checkpoints:
      compression === 'gzip' ? [gzipZinfoHeader(count, spanSize), ...checkpoints] : [encodeTarZinfo(spanSize, size)],
    spanDigests: digests.spanDigests,
  })
  return {
    ztoc,
    digest: ztoc.digest,
    layer: { digest, size, uncompressedSize: tar.position },
    compression,
    spans,
    files: tar.records.count,
    hasXattrs: tar.records.hasXattrs,
    unloadable,
    captured: digests.captured,
  }
}

function checkExpected({ expected }: LayerJob, digest: string, size: number): void {
  if (expected?.size !== undefined && expected.size !== size)
    throw new LayerFormatError('SIZE_MISMATCH', `the layer has ${size} bytes, its descriptor says ${expected.size}`)
  if (expected?.digest !== undefined && expected.digest !== digest)
    throw new LayerFormatError(
      'DIGEST_MISMATCH',
      `the layer's digest is ${digest}, its descriptor says ${expected.digest}`,
    )
}
