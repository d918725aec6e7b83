// Tells a person on stderr how the work goes: which form that takes is the terminal's to say.
import type { LayerResult } from '../result.js'
import { formatCount, formatRate, formatSeconds, formatSize, plural, shortDigest } from './format.js'
import { hasUnicode, ProgressBars, progressFrame } from './progress-bars.js'
import { type BoardEvent, ProgressBoard } from './progress-board.js'
import type { Terminal } from './terminal.js'

export interface ProgressReport {
  readonly onProgress: (event: BoardEvent) => void
  /** Warns, unless a progress event said the same. */
  warn(message: string): void
  /** Removes the bars when the work is done or has failed. The summary is printed if progress was. */
  end(summary?: string): void
}

export function reportProgress(terminal: Terminal, noun: 'layer' | 'image' = 'layer'): ProgressReport {
  const form = terminal.progressForm
  const board = new ProgressBoard(noun)
  const clock = () => performance.now() / 1000
  const bars =
    form !== 'bars'
      ? undefined
      : new ProgressBars(
          terminal.stderr,
          (screen) => progressFrame(board, clock(), screen),
          hasUnicode(process.platform, terminal.environment),
        )
  const warned = new Set<string>()
  const warn = (message: string) => {
    if (!warned.has(message)) terminal.warn(message)
    warned.add(message)
  }
  terminal.showing(bars)
  return {
    onProgress(event) {
      board.apply(event, clock())
      if (event.type === 'warning') warn(event.message)
      if (event.type === 'recompress' && event.made !== undefined && form !== 'none')
        terminal.note(
          `${shortDigest(event.digest)}  recompressed  ${formatSize(event.size)}  to ${formatSize(event.made.size)}`,
        )
      if (event.type === 'read' && form !== 'none') terminal.note(readLine(event))
      if (event.type === 'layer' && form !== 'none') terminal.note(layerLine(event.layer))
    },
    warn,
    end(summary) {
      bars?.end()
      terminal.showing(undefined)
      if (summary !== undefined && form !== 'none') terminal.note(summary)
    },
  }
}

/** `1a2b3c4d5e6f  indexed  65.0 MB  17 spans  3,210 files  2.1 s`. */
function layerLine(layer: LayerResult): string {
  const parts = [shortDigest(layer.digest), layer.state, formatSize(layer.size)]
  if (layer.spans !== undefined) parts.push(plural(layer.spans, 'span'))
  if (layer.files !== undefined) parts.push(`${formatCount(layer.files)} entries`)
  if (layer.seconds !== undefined) parts.push(formatSeconds(layer.seconds), formatRate(layer.size, layer.seconds))
  if (layer.reason !== undefined) parts.push(layer.reason)
  return parts.join('  ')
}

/** `1a2b3c4d5e6f  read  65.0 MB  0.4 s  162.5 MB/s`. */
function readLine({ digest, size, seconds }: Extract<BoardEvent, { type: 'read' }>): string {
  return [shortDigest(digest), 'read', formatSize(size), formatSeconds(seconds), formatRate(size, seconds)].join('  ')
}

/** `3 layers indexed, 1 reused, 2 skipped; 650.2 MB read in 4.2 s, 155.1 MB/s`. A layer that stands several times counts once. */
export function summarize(result: {
  readonly images: readonly { readonly layers: readonly LayerResult[] }[]
  readonly bytesIndexed: number
  readonly seconds: number
}): string {
  const layers = new Map(result.images.flatMap((image) => image.layers.map((layer) => [layer.digest, layer])))
  const count = (state: LayerResult['state']) => [...layers.values()].filter((layer) => layer.state === state).length
  const counts = [`${plural(count('indexed'), 'layer')} indexed`]
  if (count('reused') > 0) counts.push(`${count('reused')} reused`)
  if (count('skipped') > 0) counts.push(`${count('skipped')} skipped`)
  const read = `${formatSize(result.bytesIndexed)} read in ${formatSeconds(result.seconds)}`
  const rate = result.bytesIndexed > 0 ? formatRate(result.bytesIndexed, result.seconds) : ''
  return `${counts.join(', ')}; ${read}${rate && `, ${rate}`}`
}
