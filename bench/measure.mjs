// Runs commands side by side: round after round, each once a round, so that what else the machine does hits all alike.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensure } from '../scripts/tools.mjs'

/**
 * A command to measure. `before` runs ahead of each run and is not measured; `check` gets what was printed on stdout and
 * throws where the result is wrong; what it returns joins the sample. Without it stdout goes nowhere.
 * @typedef {{ readonly name: string, readonly command: readonly string[], readonly input?: string,
 *   readonly before?: () => void, readonly check?: (stdout: string) => { readonly inside: number } | undefined }} Contender
 */

/**
 * @typedef {{ readonly seconds: number, readonly cpu: number, readonly memory: number, readonly written: number,
 *   readonly inside?: number }} Sample
 *   seconds of wall time and of CPU time (user + system), peak RSS in bytes, bytes that went to disk; `inside`: seconds by the program's own clock
 */

/** CPU seconds that this machine spent on anything but what was measured, and how long that took (CPU seconds to be had). */
export const others = { spent: 0, available: 0 }

/**
 * Medians over the rounds (of memory and disk the most), by contender's name. One run of each comes first and does not count: it warms caches.
 * @param {readonly Contender[]} contenders
 * @returns {Promise<Record<string, Sample & { readonly samples: readonly Sample[] }>>}
 */
export async function compare(contenders, { rounds, log = () => {} }) {
  const samples = new Map(contenders.map(({ name }) => [name, []]))
  for (let round = 0; round <= rounds; round++) {
    const order = round % 2 === 0 ? contenders : [...contenders].reverse()
    for (const contender of order) {
      log(`${round === 0 ? 'warm-up' : `round ${round} of ${rounds}`}: ${contender.name}`)
      contender.before?.()
      spawnSync('sync') // what the one before wrote must not be written at this one's cost
      const sample = await measure(contender)
      if (round > 0) samples.get(contender.name).push(sample)
    }
  }
  return Object.fromEntries([...samples].map(([name, list]) => [name, { ...medians(list), samples: list }]))
}

/**
 * Runs one command to its end.
 * @returns {Promise<Sample>}
 * @throws Error with the end of its stderr where it fails
 */
export async function measure({ name, command, input, check }) {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'))
  const report = join(folder, 'time')
  try {
    const args = ['-q', '-o', report, '-f', '%U %S %M %O', ...command]
    const busyBefore = busySeconds() - helperSeconds()
    const started = process.hrtime.bigint()
    const child = spawn(ensure('time'), args, {
      env: { ...process.env, NO_COLOR: '1', TZ: 'UTC' },
      stdio: [input === undefined ? 'ignore' : 'pipe', check ? 'pipe' : 'ignore', 'pipe'],
    })
    let stdout = ''
    let stderr = ''
    child.stdout?.on('data', (data) => (stdout += data))
    child.stderr.on('data', (data) => (stderr = (stderr + data).slice(-2000)))
    child.stdin?.end(input)
    const ended = new Promise((resolve, reject) => child.on('error', reject).on('exit', resolve))
    const closed = new Promise((resolve) => child.on('close', resolve))
    const status = await ended
    const seconds = Number(process.hrtime.bigint() - started) / 1e9
    await closed
    if (status !== 0) throw new Error(`${name}: ${command.join(' ')} ended with status ${status}: ${stderr.trim()}`)
    const more = check?.(stdout)
    const busy = busySeconds() - helperSeconds() - busyBefore
    const [user, system, kibibytes, blocks] = readFileSync(report, 'utf8').trim().split(' ').map(Number)
    others.spent += Math.max(0, busy - user - system)
    others.available += seconds * availableParallelism()
    return { seconds, cpu: user + system, memory: kibibytes * 1024, written: blocks * 512, ...more }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const TICKS = 100 // per second, whatever the kernel's own clock

/** CPU seconds of the processes that this one has started and that still run: registries and the like, which are no others. */
function helperSeconds() {
  const list = `/proc/self/task/${process.pid}/children`
  const children = existsSync(list) ? readFileSync(list, 'utf8').trim().split(' ').filter(Boolean) : []
  return children.reduce((sum, child) => {
    const fields = readFileSync(`/proc/${child}/stat`, 'utf8').split(') ')[1].split(' ')
    return sum + (Number(fields[11]) + Number(fields[12])) / TICKS // proc(5): utime and stime, 14 and 15 from the process's id on
  }, 0)
}

/** CPU seconds that all programs have taken since the machine's start, and those that its host did not give it. */
function busySeconds() {
  const [user, nice, system, , , interrupts, softInterrupts, stolen] = readFileSync('/proc/stat', 'utf8')
    .split('\n', 1)[0]
    .trim()
    .split(/\s+/)
    .slice(1)
    .map(Number)
  return (user + nice + system + interrupts + softInterrupts + stolen) / TICKS
}

function medians(samples) {
  const of = (field) => median(samples.map((sample) => sample[field]))
  const most = (field) => Math.max(...samples.map((sample) => sample[field]))
  const seconds = of('seconds')
  return {
    seconds,
    cpu: of('cpu'),
    memory: most('memory'),
    written: most('written'),
    ...(samples[0].inside && { inside: of('inside') }),
  }
}

/** A check for contenders that must come to one answer: it throws where a second one differs from the first. */
export function sameAnswer() {
  let first
  return (name, answer) => {
    first ??= { name, answer }
    if (answer !== first.answer) throw new Error(`${name} says ${answer}, ${first.name} ${first.answer}`)
  }
}

/** The middle value; of an even number the mean of the two. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}
