// What our implementation makes of a layer, in the oracle's words.
import { indexLayer, LayerFormatError } from '../../packages/ztoc/dist/src/index.js'

/** { verdict, digest, size, spans, files, uncompressedSize, xattrs } or { verdict: 'refused', error }. */
export async function judgeLayer(source, { compression, spanSize, buildTool }, index = indexLayer) {
  try {
    const made = await index(source, { compression, spanSize, buildTool })
    return {
      verdict: made.unloadable === undefined ? 'loads' : 'unloadable',
      reason: made.unloadable,
      digest: made.digest,
      size: made.ztoc.size,
      spans: made.spans,
      files: made.files,
      uncompressedSize: made.layer.uncompressedSize,
      xattrs: made.hasXattrs,
      ztoc: made.ztoc,
    }
  } catch (error) {
    if (error instanceof LayerFormatError || error instanceof RangeError)
      return { verdict: 'refused', error: error.message }
    return { verdict: 'crashes', error: error.stack }
  }
}

const compared = ['verdict', 'digest', 'size', 'spans', 'files', 'uncompressedSize', 'xattrs']

/** What differs between the reference's answer and ours, in words; undefined where nothing does. */
export function difference(reference, ours) {
  if (reference.verdict === 'refused' || reference.verdict === 'crashes') {
    return ours.verdict === 'refused' ? undefined : `the reference: ${reference.error}; ours: ${say(ours)}`
  }
  const differing = compared.filter((key) => reference[key] !== ours[key])
  if (differing.length === 0) return undefined
  // A hole where the tar happens to have zeros: what is extracted is right by chance.
  if (
    differing.length === 1 &&
    ours.reason?.endsWith('whose holes a zTOC cannot tell') &&
    reference.verdict === 'loads'
  )
    return undefined
  return `the reference: ${say(reference)}; ours: ${say(ours)} (${differing.join(', ')})`
}

function say({ verdict, digest, error }) {
  return `${verdict} ${digest ?? error}`
}
