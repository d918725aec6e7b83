// What a user sees while layers are read whole because no SOCI index has them: one warning, and progress.
import type { WholeLayerOptions } from '../options.js'
import { formatSize, plural } from './format.js'
import { reportProgress } from './progress-report.js'
import type { Terminal } from './terminal.js'

export interface WholeLayerReport {
  readonly onWholeLayer: NonNullable<WholeLayerOptions['onWholeLayer']>
  /** Takes the bars away. */
  end(): void
}

/** Smaller layers are in no index, unless asked for: reading one takes a moment. */
const WORTH_REPORTING = 10 << 20

export function reportWholeLayers(terminal: Terminal): WholeLayerReport {
  const report = reportProgress(terminal)
  const started = new Map<string, number>()
  return {
    onWholeLayer({ digest, size }, bytes, all) {
      if (size < WORTH_REPORTING) return
      if (bytes === 0) {
        started.set(digest, performance.now())
        if (all.some((layer) => layer.digest === digest)) {
          const total = formatSize(all.reduce((sum, layer) => sum + layer.size, 0))
          report.warn(
            `${plural(all.length, 'layer')} without a SOCI index: up to ${total} are read whole. To read only what is needed, create an indexed image with \`sociable convert\``,
          )
        }
        report.onProgress({ type: 'plan', layers: [{ digest, size, platforms: [] }], blobs: 0, blobBytes: 0 })
      } else if (bytes < size) report.onProgress({ type: 'progress', digest, bytes, size })
      else {
        const seconds = (performance.now() - started.get(digest)!) / 1000
        report.onProgress({ type: 'read', digest, size, seconds })
      }
    },
    end: () => report.end(),
  }
}
