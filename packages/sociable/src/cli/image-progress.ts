// Progress of several images at once: the events of each become those of one large layer, so that each image has a bar.
import type { ProgressEvent } from '../progress.js'
import type { ProgressReport } from './progress-report.js'

interface Layers {
  readonly bytes: Map<string, number>
  size: number
}

export class ImageProgress {
  readonly #report: ProgressReport
  readonly #images = new Map<string, Layers>()

  /** @param report made for images */
  constructor(report: ProgressReport) {
    this.#report = report
  }

  apply(image: string, event: ProgressEvent): void {
    const layers = this.#images.get(image) ?? { bytes: new Map<string, number>(), size: 0 }
    this.#images.set(image, layers)
    if (event.type === 'warning') this.#report.warn(`${image}: ${event.message}`)
    else if (event.type === 'blob') this.#report.onProgress(event)
    else if (event.type === 'plan') {
      layers.size = event.layers.reduce((sum, { size }) => sum + size, 0)
      const bar = layers.size === 0 ? [] : [{ digest: image, size: layers.size, platforms: [] }]
      this.#report.onProgress({ ...event, layers: bar })
    } else if (event.type === 'progress') {
      layers.bytes.set(event.digest, event.bytes)
      const bytes = [...layers.bytes.values()].reduce((sum, part) => sum + part, 0)
      this.#report.onProgress({ type: 'progress', digest: image, bytes, size: layers.size })
    }
  }

  /** The image is done. @param reason why it is not indexed */
  end(image: string, seconds: number, reason: string | undefined): void {
    const { size = 0 } = this.#images.get(image) ?? {}
    const state = reason !== undefined ? 'skipped' : size > 0 ? 'indexed' : 'reused'
    const layer = { mediaType: '', digest: image, size, state, ...(reason !== undefined && { reason }) } as const
    this.#report.onProgress({ type: 'layer', layer: { ...layer, ...(state === 'indexed' && { seconds }) } })
  }
}
