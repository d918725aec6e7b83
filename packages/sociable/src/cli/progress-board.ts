// What is known of the work going on: progress events folded into numbers.
import type { ProgressEvent } from '../progress.js'

export interface LayerProgress {
  readonly digest: string
  /** Compressed bytes; 0 where it is not known beforehand. */
  readonly size: number
  bytes: number
  /** Seconds on the caller's clock, of its first bytes. */
  started: number | undefined
  finished: boolean
}

/** Beside what conversions report: a layer has been read whole, to know what is in it. */
export type BoardEvent =
  | ProgressEvent
  | { readonly type: 'read'; readonly digest: string; readonly size: number; readonly seconds: number }

export class ProgressBoard {
  /** What the total counts. */
  readonly noun: 'layer' | 'image'
  readonly layers = new Map<string, LayerProgress>()
  /** Of the first plan. */
  started: number | undefined
  blobs = 0
  blobsMoved = 0

  constructor(noun: 'layer' | 'image' = 'layer') {
    this.noun = noun
  }

  /** @param now seconds, of a clock that only goes forward */
  apply(event: BoardEvent, now: number): void {
    if (event.type === 'plan') {
      this.started ??= now
      this.blobs += event.blobs
      for (const { digest, size } of event.layers)
        this.layers.set(digest, { digest, size, bytes: 0, started: undefined, finished: false })
    } else if (event.type === 'progress') {
      const layer = this.layers.get(event.digest)
      if (layer === undefined) return
      layer.started ??= now
      layer.bytes = event.bytes
    } else if (event.type === 'recompress') {
      const { digest, size, bytes, made } = event
      this.started ??= now
      const started = this.layers.get(digest)?.started ?? now
      this.layers.set(digest, { digest, size, bytes, started, finished: made !== undefined })
    } else if (event.type === 'layer' || event.type === 'read') {
      const layer = this.layers.get(event.type === 'read' ? event.digest : event.layer.digest)
      if (layer !== undefined) Object.assign(layer, { bytes: layer.size || layer.bytes, finished: true })
    } else if (event.type === 'blob') {
      this.blobsMoved++
    }
  }

  get active(): LayerProgress[] {
    return [...this.layers.values()].filter((layer) => layer.started !== undefined && !layer.finished)
  }

  get total(): { layers: number; finished: number; bytes: number; size: number } {
    const layers = [...this.layers.values()]
    return {
      layers: layers.length,
      finished: layers.filter((layer) => layer.finished).length,
      bytes: layers.reduce((sum, layer) => sum + layer.bytes, 0),
      size: layers.reduce((sum, layer) => sum + layer.size, 0),
    }
  }
}
