// Records docs/images/session.svg: a real session of the command line in a pseudo terminal, as it was typed and printed, at its own speed.
// `node scripts/record-session.mjs [oci:DIR:TAG]` converts this image, or one made of files of this machine. Needs `script` of util-linux.
import { spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { sociable } from '../bench/sociable.mjs'
import { layoutRepositories, serveRegistry } from '../packages/oci/dist/src/index.js'
import { copyImage } from '../packages/sociable/dist/src/index.js'
import { makeDemoImage } from './demo-image.mjs'
import { ensurePackages } from './tools.mjs'

const PICTURE = fileURLToPath(new URL('../docs/images/session.svg', import.meta.url))
const [COLUMNS, ROWS, PORT] = [80, 16, 5000]
const IMAGE = `localhost:${PORT}/app:1`
const COMMANDS = [
  `IMAGE=$(sociable convert ${IMAGE})`,
  'sociable inspect "$IMAGE" | tail -n 5 | cut -c 1-74',
  'sociable cat --verbose "$IMAGE" /etc/os-release | head -n 1',
]
const KEY = 45 // ms
const PAUSE = 900 // ms after a command has ended
const PROMPT = '$ '

const [CELL, LINE, SIZE, PADDING] = [8.4, 19, 14, 18]
/** The colors that the program uses, of 4.5:1 or more on the background. */
const COLORS = { 1: '#ff8b86', 2: '#6fdd8b', 3: '#e6c35c', 4: '#7cb7ff', 5: '#dda0ff', 6: '#5fd3e8', 8: '#9aa4af' }

const folder = mkdtempSync(join(tmpdir(), 'session-'))
try {
  const server = await serveImage(process.argv[2])
  const chunks = await record()
  await server.close()
  const frames = await replay(chunks)
  writeFileSync(PICTURE, draw(frames))
  console.log(`${PICTURE}: ${frames.length} frames, ${(frames.at(-1).time / 1000).toFixed(1)} s`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** A registry on this machine that has the image. */
async function serveImage(given) {
  const made = join(folder, 'made')
  if (given === undefined) await makeDemoImage(made, { small: false, onLayer: () => {} })
  await copyImage(given ?? `oci:${made}:latest`, `oci:${folder}/images/app:1`)
  return serveRegistry({ repositories: await layoutRepositories(join(folder, 'images'), { write: true }), port: PORT })
}

/** Types the commands into a shell, each when the prompt is back. @returns {Promise<{ time: number, text: string }[]>} milliseconds */
async function record() {
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  writeFileSync(join(bin, 'sociable'), `#!/bin/sh\nexec ${sociable.map((word) => `'${word}'`).join(' ')} "$@"\n`)
  chmodSync(join(bin, 'sociable'), 0o755)
  const { CI: _, NO_COLOR: __, ...environment } = process.env
  const env = { ...environment, PATH: `${bin}${delimiter}${process.env.PATH}`, TERM: 'xterm-256color', ENV: '' }
  const shell = `stty cols ${COLUMNS} rows ${ROWS}; PS1='${PROMPT}' exec dash -i`
  const child = spawn('script', ['-qec', shell, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'], env, cwd: folder })
  const chunks = []
  const started = performance.now()
  child.stdout.setEncoding('utf8')
  child.stdout.on('data', (text) => chunks.push({ time: performance.now() - started, text }))
  const prompted = async (from) => {
    while (
      !chunks
        .slice(from)
        .map(({ text }) => text)
        .join('')
        .endsWith(PROMPT)
    )
      await sleep(20)
  }
  await prompted(0)
  for (const command of COMMANDS) {
    await sleep(PAUSE)
    for (const key of command) {
      child.stdin.write(key)
      await sleep(KEY)
    }
    const from = chunks.length
    child.stdin.write('\n')
    await sleep(KEY)
    await prompted(from)
  }
  const end = chunks.length
  child.stdin.end('exit\n')
  await new Promise((resolve) => child.once('close', resolve))
  return chunks.slice(0, end)
}

/** What the terminal shows after each chunk. @returns {Promise<{ time: number, lines: string[] }[]>} each line as SVG */
async function replay(chunks) {
  const require = createRequire(`${ensurePackages('@xterm/headless@6.0.0')}/`)
  const { Terminal } = require('@xterm/headless')
  const terminal = new Terminal({ cols: COLUMNS, rows: ROWS, allowProposedApi: true })
  const frames = []
  for (const { time, text } of chunks) {
    await new Promise((resolve) => terminal.write(text, resolve))
    const lines = Array.from({ length: ROWS }, (_, row) => lineOf(terminal.buffer.active, row))
    const last = frames.at(-1)
    if (last?.lines.join('\n') === lines.join('\n')) continue
    if (last !== undefined && time - last.time < KEY) last.lines = lines
    else frames.push({ time: time - chunks[0].time, lines })
  }
  return frames
}

function lineOf(buffer, row) {
  const line = buffer.getLine(buffer.viewportY + row)
  const runs = []
  for (let column = 0; line !== undefined && column < COLUMNS; column++) {
    const cell = line.getCell(column)
    const style = `${cell.isBold() ? 'b' : ''}${cell.isDim() ? 'd' : ''}${cell.isFgPalette() ? `c${cell.getFgColor()}` : ''}`
    const last = runs.at(-1)
    const character = cell.getChars() || ' '
    if (last?.style === style) last.text += character
    else runs.push({ style, column, text: character })
  }
  return runs
    .map(({ style, column, text }) => ({
      style,
      column: column + text.length - text.trimStart().length,
      text: text.trim(),
    }))
    .filter(({ text }) => text !== '')
    .map(({ style, column, text }) => {
      const length = `textLength="${round(text.length * CELL)}" lengthAdjust="spacingAndGlyphs"`
      const name = style === '' ? '' : ` class="${[...style.matchAll(/[bd]|c\d+/g)].join(' ')}"`
      return `<tspan x="${round(PADDING + column * CELL)}" ${length}${name}>${escapeXml(text)}</tspan>`
    })
    .join('')
}

/** Each different line once; the frames are one below the other, and the animation moves them past the window. */
function draw(frames) {
  const ids = new Map()
  for (const { lines } of frames)
    for (const line of lines) if (line !== '' && !ids.has(line)) ids.set(line, ids.size.toString(36))
  const [width, height] = [Math.ceil(COLUMNS * CELL + 2 * PADDING), ROWS * LINE + 2 * PADDING]
  const duration = frames.at(-1).time
  const steps = frames.map(
    ({ time }, i) => `${round((time / duration) * 100, 100)}%{transform:translateY(${-i * height}px)}`,
  )
  const strip = frames.map(({ lines }, i) =>
    lines
      .map((line, row) =>
        line === '' ? '' : `<use href="#l${ids.get(line)}" y="${i * height + PADDING + (row + 1) * LINE - 5}"/>`,
      )
      .join(''),
  )
  const colors = Object.entries(COLORS)
    .map(([color, value]) => `.c${color}{fill:${value}}`)
    .join('')
  const last = `transform:translateY(${-(frames.length - 1) * height}px)`
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="A terminal session: ${escapeXml(COMMANDS.join('; '))}">
<style>
text{font:${SIZE}px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:#e6ebf0;white-space:pre}
.b{font-weight:700}.d{fill:#9aa4af}${colors}
.film{${last};animation:film ${round(duration / 1000, 100)}s step-end 1 both}
@keyframes film{${steps.join('')}}
@media (prefers-reduced-motion:reduce){.film{animation:none}}
</style>
<defs>${[...ids].map(([line, id]) => `<text id="l${id}">${line}</text>`).join('\n')}
<clipPath id="window"><rect width="${width}" height="${height}" rx="10"/></clipPath></defs>
<rect width="${width}" height="${height}" rx="10" fill="#15191f"/>
<g clip-path="url(#window)"><g class="film">
${strip.join('\n')}
</g></g>
</svg>
`
}

function round(value, factor = 10) {
  return Math.round(value * factor) / factor
}

function escapeXml(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
