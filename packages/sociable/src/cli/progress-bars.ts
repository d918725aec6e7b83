// Progress on a terminal: a bar for each layer in work and a line for the whole, redrawn in place.
import { formatClock, formatRate, formatSize, shortDigest } from './format.js'
import type { LayerProgress, ProgressBoard } from './progress-board.js'

export interface Screen {
  readonly columns: number
  readonly rows: number
  /** Whether block characters can be shown. */
  readonly unicode: boolean
}

const LABEL_WIDTH = 12
/** `123.4/567.8 MB` with room for both numbers of the same unit. */
const BYTES_WIDTH = 19
const RATE_WIDTH = 12
const CLOCK_WIDTH = 7
const TEXT_WIDTH = LABEL_WIDTH + 2 + 5 + 2 + BYTES_WIDTH + 2 + RATE_WIDTH + 2 + CLOCK_WIDTH
const MAX_BAR_WIDTH = 40
const MIN_BAR_WIDTH = 6

/** The lines to show, none wider or more than the screen has room for. */
export function progressFrame(board: ProgressBoard, now: number, screen: Screen): string[] {
  const { total } = board
  if (total.layers === 0) return []
  const lines = board.active.map((layer) => layerLine(layer, now, screen))
  const room = Math.max(0, screen.rows - 2)
  if (lines.length > room) lines.length = room
  if (total.layers > 1 || total.finished === 1) lines.push(totalLine(board, now))
  // One column stays free: some terminals wrap as soon as the last is written.
  return lines.filter((line) => line !== '').map((line) => line.slice(0, Math.max(0, screen.columns - 1)))
}

function layerLine(layer: LayerProgress, now: number, screen: Screen): string {
  const { bytes, size } = layer
  const seconds = now - (layer.started ?? now)
  const label = shortDigest(layer.digest).slice(-LABEL_WIDTH).padEnd(LABEL_WIDTH)
  const rate = formatRate(bytes, seconds).padStart(RATE_WIDTH)
  if (size === 0) return `${label}  ${formatSize(bytes).padStart(BYTES_WIDTH)}  ${rate}`
  const share = Math.min(1, bytes / size)
  const percent = `${Math.floor(share * 100)}%`.padStart(5)
  const amount = `${formatSize(bytes)}/${formatSize(size)}`.padStart(BYTES_WIDTH)
  const left = timeLeft(bytes, size, seconds).padStart(CLOCK_WIDTH)
  const width = Math.min(MAX_BAR_WIDTH, screen.columns - 2 - TEXT_WIDTH)
  const bar = width < MIN_BAR_WIDTH ? '' : `${drawBar(share, width, screen.unicode)} `
  return `${label}  ${bar}${percent}  ${amount}  ${rate}  ${left}`
}

function totalLine(board: ProgressBoard, now: number): string {
  const { layers, finished, bytes, size } = board.total
  if (finished === layers)
    return board.blobs > 0
      ? `writing the ${board.noun === 'layer' ? 'image' : 'images'}, ${Math.min(board.blobsMoved, board.blobs)} of ${board.blobs} blobs`
      : ''
  const seconds = now - (board.started ?? now)
  const left = timeLeft(bytes, size, seconds)
  return [
    `${finished} of ${layers} ${board.noun}s`,
    `${formatSize(bytes)}/${formatSize(size)}`,
    formatRate(bytes, seconds),
    left && `${left} left`,
  ]
    .filter((part) => part !== '')
    .join('  ')
}

function timeLeft(bytes: number, size: number, seconds: number): string {
  // Before that the figure would jump about.
  if (bytes === 0 || seconds < 0.5) return ''
  return formatClock(((size - bytes) / bytes) * seconds)
}

function drawBar(share: number, width: number, unicode: boolean): string {
  const full = Math.floor(share * width)
  const [done, open] = unicode ? ['█', '░'] : ['#', '.']
  return done!.repeat(full) + open!.repeat(width - full)
}

const FRAME_MILLISECONDS = 100

/** Draws frames below all other output, ten times a second. */
export class ProgressBars {
  readonly #stream: NodeJS.WriteStream
  readonly #frame: (screen: Screen) => string[]
  readonly #unicode: boolean
  readonly #timer: NodeJS.Timeout
  #shown = 0

  constructor(stream: NodeJS.WriteStream, frame: (screen: Screen) => string[], unicode: boolean) {
    this.#stream = stream
    this.#frame = frame
    this.#unicode = unicode
    this.#timer = setInterval(() => this.#draw(), FRAME_MILLISECONDS)
    this.#timer.unref()
  }

  /** Takes the bars off the screen; the next frame shows them again. */
  hide(): void {
    const erase = this.#erase()
    if (erase !== '') this.#stream.write(erase)
  }

  end(): void {
    clearInterval(this.#timer)
    this.hide()
  }

  #draw(): void {
    const { columns = 80, rows = 24 } = this.#stream
    const lines = this.#frame({ columns, rows, unicode: this.#unicode })
    // One write: the screen is never seen without the bars.
    this.#stream.write(this.#erase() + lines.map((line) => `${line}\n`).join(''))
    this.#shown = lines.length
  }

  /** What moves the cursor up to the first line shown, and clears all from there (ECMA-48 CUU and ED). */
  #erase(): string {
    const shown = this.#shown
    this.#shown = 0
    return shown === 0 ? '' : `\u001b[${shown}A\u001b[0J`
  }
}

/** Windows' consoles and macOS always, others as their locale says. */
export function hasUnicode(platform: NodeJS.Platform, environment: NodeJS.ProcessEnv): boolean {
  const locale = environment.LC_ALL || environment.LC_CTYPE || environment.LANG || ''
  return platform === 'win32' || platform === 'darwin' || /utf-?8/i.test(locale)
}
