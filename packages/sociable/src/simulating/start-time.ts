// How long a start takes. Measured with containerd 2.2.9 and soci-snapshotter 0.16.1 on 2 cores (bench/startup, docs/benchmarks.md).
import type { StartWork } from './start-work.js'

/** The network between the machine and the registry. */
export interface Link {
  /** Bytes per second. */
  readonly bandwidth: number
  /** Seconds of a round trip. */
  readonly latency: number
}

export interface StartConditions extends Link {
  /** How many times as fast as the measured machine the processor is. */
  readonly machineSpeed: number
  /** Seconds that the program itself takes until it is ready, with all its files in memory. */
  readonly programTime: number
}

/** Those that the model was measured in, and a program that computes little before it is ready. */
export const DEFAULT_CONDITIONS: StartConditions = {
  bandwidth: 60e6,
  latency: 0.003,
  machineSpeed: 1,
  programTime: 0.5,
}

export interface SimulatedStart {
  /** Until the program is ready. */
  readonly seconds: number
  /** Bytes that are fetched until then. */
  readonly bytes: number
  readonly requests: number
}

/** Seconds per entry of a zTOC that the snapshotter parses. */
const PARSE_ENTRY = 49e-6
/** Compressed bytes per second that the snapshotter decompresses, verifies and stores while a read waits. */
const DECODE_RATE = 80e6
/** Compressed bytes per second of spans that are fetched ahead. */
const PREFETCH_RATE = 80e6
/** Of reading through FUSE: seconds per file that is opened, and uncompressed bytes per second. */
const FUSE_FILE = 0.3e-3
const FUSE_RATE = 70e6
/** Unpacked bytes per second of a layer beside lazy ones, such as a start layer. */
const UNPACK_RATE = 140e6
/** The same of a whole pull. */
const PULL_UNPACK_RATE = 50e6
/** Manifests, config and SOCI index. */
const DOCUMENTS = 4
/** Compressed bytes of a layer that a parallel pull fetches with one request. */
const PULL_PART = 16 << 20

export function startTime(work: StartWork, conditions: StartConditions): SimulatedStart {
  const { bandwidth, latency, machineSpeed, programTime } = conditions
  const { ztocBytes, entries, whole, waited, prefetched, fuseFiles, fuseBytes } = work
  const isLazy = entries > 0
  const wholeBytes = sum(whole.map(({ size }) => size))
  const unpacked = sum(whole.map((layer) => layer.unpacked))
  const [waitedBytes, prefetchedBytes] = [sum(waited), sum(prefetched)]
  const documents = DOCUMENTS * latency + ztocBytes / bandwidth + (entries * PARSE_ENTRY) / machineSpeed
  // Layers beside lazy ones are pulled and unpacked one after another; in a whole pull one is unpacked while others are pulled
  const pulled = isLazy
    ? whole.length * latency + wholeBytes / bandwidth + unpacked / UNPACK_RATE / machineSpeed
    : latency + Math.max(wholeBytes / bandwidth, unpacked / PULL_UNPACK_RATE / machineSpeed)
  const ahead =
    prefetchedBytes === 0 ? 0 : latency + prefetchedBytes / Math.min(bandwidth, PREFETCH_RATE * machineSpeed)
  const onDemand = waited.length * latency + waitedBytes / bandwidth + waitedBytes / DECODE_RATE / machineSpeed
  const fuse = (fuseFiles * FUSE_FILE + fuseBytes / FUSE_RATE) / machineSpeed
  const wholeRequests = sum(whole.map(({ size }) => (isLazy ? 1 : Math.ceil(size / PULL_PART))))
  return {
    seconds: documents + pulled + ahead + onDemand + fuse + programTime / machineSpeed,
    bytes: Math.round(ztocBytes + wholeBytes + prefetchedBytes + waitedBytes),
    requests: DOCUMENTS + wholeRequests + waited.length + prefetched.length,
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
