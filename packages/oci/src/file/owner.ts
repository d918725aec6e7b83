import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/** Who holds something: enough to tell, without a clock, whether that process still runs. */
export interface Owner {
  /** The machine since its last boot and, on Linux, the namespace that gives `pid` its meaning. */
  readonly machine: string
  readonly pid: number
  /** When the process started, in the kernel's ticks; empty where the system does not say. It tells a reused pid from the owner. */
  readonly started: string
  /** Unlike every other owner's. */
  readonly id: string
}

let own: Omit<Owner, 'id'> | undefined

export function ownerNamed(id: string): Owner {
  own ??= { machine: machine(), pid: process.pid, started: processState(process.pid)?.started ?? '' }
  return { ...own, id }
}

export function encodeOwner({ machine, pid, started, id }: Owner): string {
  return `${JSON.stringify({ machine, pid, started, id })}\n`
}

/** The owner in the first line of a text; `undefined` where there is none. */
export function decodeOwner(text: string): Owner | undefined {
  try {
    const value = JSON.parse(text.split('\n', 1)[0]!) as Owner | null
    if (value === null || typeof value !== 'object') return undefined
    const { machine, pid, started, id } = value
    const isOwner =
      [machine, started, id].every((part) => typeof part === 'string') && Number.isSafeInteger(pid) && pid > 0
    return isOwner ? { machine, pid, started, id } : undefined
  } catch {
    return undefined
  }
}

/**
 * `alive` and `dead` are certain. `unknown`: the owner is on another machine or in another container, or its pid is in use on a system
 * that does not say by whom.
 */
export function ownerState(owner: Owner): 'alive' | 'dead' | 'unknown' {
  const { machine, started } = ownerNamed('')
  if (owner.machine !== machine) return 'unknown'
  try {
    process.kill(owner.pid, 0)
  } catch (error) {
    // EPERM: it runs as another user
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return 'dead'
  }
  if (owner.pid === process.pid && owner.started === started) return 'alive'
  if (owner.started === '') return 'unknown'
  const state = processState(owner.pid)
  if (state === undefined) return 'unknown'
  return state.isEnded || state.started !== owner.started ? 'dead' : 'alive'
}

/** proc_pid_stat(5): field 3 is the state, field 22 the start. The name before them may have any character, `)` too. */
function processState(pid: number): { readonly started: string; readonly isEnded: boolean } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return { started: fields[19] ?? '', isEnded: fields[0] === 'Z' || fields[0] === 'X' }
  } catch {
    return undefined
  }
}

function machine(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return `${process.platform} ${hostname()}`
  }
}
