// A thread of a layer: the decoder, which takes the input pieces, the digester, which takes what the decoder makes of them, or one that does it all.
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { GzipDecoder } from '../gzip/gzip-decoder.js'
import { REFUSED_BY_GO, type RefusedByGo } from '../gzip/gzip-member.js'
import { Inflater } from '../inflate/inflater.js'
import type { Memory, Module } from '../inflate/webassembly.js'
import { GzipLayer } from '../layer/gzip-layer.js'
import { GzipDigester, TarDigester } from '../layer/layer-digester.js'
import { layMemory } from '../layer/layer-memory.js'
import { finishLayer, type LayerJob } from '../layer/layer-result.js'
import type { LayerSink } from '../layer/layer-sink.js'
import type { IndexedLayer } from '../types.js'
import { Stopped, ThreadControl } from './thread-control.js'
import { describeError, type ErrorMessage, reviveError } from './thread-error.js'

export type LayerWorkerRole = 'decoder' | 'digester' | 'whole'

export interface LayerWorkerData {
  readonly role: LayerWorkerRole
  readonly memory: Memory
  /** The engine's code for it. */
  readonly module: Module
  readonly inputs: number
  readonly slots: number
  readonly control: SharedArrayBuffer
  /** Between decoder and digester, for what does not fit into the rings. */
  readonly peer: MessagePort | undefined
}

/** What the threads tell their owner: `ready` once; then for each job `free` pieces, the outcome (not the decoder), and `idle`. */
export type LayerWorkerMessage =
  | { readonly ready: true }
  | { readonly free: number }
  | { readonly layer: IndexedLayer }
  | { readonly error: ErrorMessage }
  | { readonly idle: true }

/** What the decoder leaves for the digester when it is through. */
type PeerMessage = { readonly job: number } & (
  | { readonly checkpoints: Uint8Array<ArrayBuffer>[]; readonly count: number }
  | { readonly error: ErrorMessage }
)

const OUTPUT = 0
const SPAN_START = 1
const GZIP_MEMBER_END = 2
const ZLIB_STREAM_END = 3
const REFUSED_MEMBER = 4
const INPUT = 5
const SPAN_MAY_START = 6
const END = 7 // a PeerMessage tells how

/** Hands everything on to the digester's thread. */
class RemoteSink implements LayerSink {
  readonly #control: ThreadControl
  readonly #slots: readonly number[]
  /** For each slot, how many messages must have been used before it may be written again. */
  readonly #marks: number[]

  constructor(control: ThreadControl, slots: readonly number[]) {
    this.#control = control
    this.#slots = slots
    this.#marks = slots.map(() => 0)
  }

  output(ptr: number, length: number): void {
    const mark = this.#control.write(OUTPUT, ptr, length, 0)
    this.#marks[this.#slots.findLastIndex((start) => start <= ptr)] = mark
  }

  awaitSlot(slot: number): void {
    this.#control.awaitRead(this.#marks[slot]!)
  }

  spanStart(inOffset: number, bits: number): void {
    this.#control.write(SPAN_START, inOffset, bits, 0)
  }

  spanMayStart(inOffset: number, bits: number): void {
    this.#control.write(SPAN_MAY_START, inOffset, bits, 0)
  }

  gzipMemberEnd(crc: number, size: number, end: number): void {
    this.#control.write(GZIP_MEMBER_END, crc, size, end)
  }

  zlibStreamEnd(adler: number, end: number): void {
    this.#control.write(ZLIB_STREAM_END, adler, end, 0)
  }

  memberRefusedByGo(reason: RefusedByGo, start: number): void {
    this.#control.write(REFUSED_MEMBER, REFUSED_BY_GO.indexOf(reason), start, 0)
  }

  input(ptr: number, length: number): void {
    this.#control.write(INPUT, ptr, length, 0)
  }
}

const data = workerData as LayerWorkerData
const port = parentPort!
const control = new ThreadControl(data.control)
const memory = layMemory(data.memory, data.inputs, data.slots)
const post = (message: LayerWorkerMessage, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer)

function decodeLayer(inflater: Inflater, job: LayerJob): { checkpoints: Uint8Array<ArrayBuffer>[]; count: number } {
  const sink = new RemoteSink(control, memory.slots)
  const decoder = job.compression === 'gzip' ? new GzipDecoder(inflater, memory, job, sink) : undefined
  for (let index = 0; ; index++) {
    const { ptr, length } = control.takeInput(index)
    if (length < 0) break
    if (decoder === undefined) sink.input(ptr, length)
    else decoder.push(ptr, length)
  }
  decoder?.end()
  return { checkpoints: decoder?.checkpoints.finish() ?? [], count: decoder?.checkpoints.count ?? 0 }
}

function runDecoder(inflater: Inflater, number: number, job: LayerJob): void {
  try {
    let outcome: PeerMessage
    try {
      outcome = { job: number, ...decodeLayer(inflater, job) }
    } catch (error) {
      if (error instanceof Stopped) throw error
      outcome = { job: number, error: describeError(error) }
    }
    const transfer = 'checkpoints' in outcome ? outcome.checkpoints.map((piece) => piece.buffer) : []
    data.peer!.postMessage(outcome, transfer)
    control.write(END, 0, 0, 0)
  } catch (error) {
    if (!(error instanceof Stopped)) throw error
  }
}

function digestLayer(bytes: Uint8Array, number: number, job: LayerJob): IndexedLayer {
  const gzip = job.compression === 'gzip' ? new GzipDigester(bytes, job) : undefined
  const tar = gzip === undefined ? new TarDigester(job) : undefined
  for (let message = control.read(false); ; message = control.read(true)) {
    const { kind, a, b, c } = message
    if (kind === OUTPUT) gzip!.output(a, b)
    else if (kind === SPAN_START) gzip!.spanStart(a, b)
    else if (kind === SPAN_MAY_START) gzip!.spanMayStart(a, b)
    else if (kind === GZIP_MEMBER_END) gzip!.gzipMemberEnd(a, b, c)
    else if (kind === ZLIB_STREAM_END) gzip!.zlibStreamEnd(a, b)
    else if (kind === REFUSED_MEMBER) gzip!.memberRefusedByGo(REFUSED_BY_GO[a]!, b)
    else if (kind === INPUT) {
      if (gzip !== undefined) gzip.input(a, b)
      else tar!.push(bytes.subarray(a, a + b))
      post({ free: a })
    } else break
  }
  const outcome = peerMessage(number)
  if ('error' in outcome) throw reviveError(outcome.error)
  return finishLayer(job, (gzip ?? tar)!.finish(), outcome.checkpoints, outcome.count)
}

/** What the decoder left for this job; what it left for a job that was called off is passed over. */
function peerMessage(number: number): PeerMessage {
  while (true) {
    const received = receiveMessageOnPort(data.peer!) as { message: PeerMessage } | undefined
    if (received === undefined) throw new Error('the decoder ended without a message')
    if (received.message.job === number) return received.message
  }
}

function indexWhole(inflater: Inflater, job: LayerJob): IndexedLayer {
  const gzip = job.compression === 'gzip' ? new GzipLayer(inflater, memory, job) : undefined
  const tar = gzip === undefined ? new TarDigester(job) : undefined
  for (let index = 0; ; index++) {
    const { ptr, length } = control.takeInput(index)
    if (length < 0) break
    if (gzip !== undefined) gzip.push(ptr, length)
    else tar!.push(inflater.bytes.subarray(ptr, ptr + length))
    post({ free: ptr })
  }
  return gzip !== undefined ? gzip.finish() : finishLayer(job, tar!.finish(), [], 0)
}

/** Tells the outcome of the layer. */
function report(index: () => IndexedLayer): void {
  try {
    const layer = index()
    post({ layer }, [...new Set(layer.ztoc.pieces.map(({ buffer }) => buffer as ArrayBuffer))])
  } catch (error) {
    control.stop()
    if (!(error instanceof Stopped)) post({ error: describeError(error) })
  }
}

export interface LayerWorkerJob {
  readonly number: number
  readonly job: LayerJob
}

type Run = (number: number, job: LayerJob) => void

function runnerOf(role: LayerWorkerRole): Run {
  if (role === 'digester') {
    const bytes = new Uint8Array(data.memory.buffer)
    return (number, job) => report(() => digestLayer(bytes, number, job))
  }
  const inflater = new Inflater(data.memory, data.module)
  return role === 'decoder'
    ? (number, job) => runDecoder(inflater, number, job)
    : (_, job) => report(() => indexWhole(inflater, job))
}

const run = runnerOf(data.role)
port.on('message', ({ number, job }: LayerWorkerJob) => {
  run(number, job)
  post({ idle: true })
})
post({ ready: true })
