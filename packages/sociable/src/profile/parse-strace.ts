import { type Argument, type Call, parseCall, splitStraceLine } from './strace-call.js'
import { type Process, Processes, setDescriptor } from './strace-processes.js'
import type { TraceEvents } from './trace-collector.js'
import { cleanPath, pathFrom, textOf } from './trace-path.js'

const UNFINISHED = '<unfinished ...>'
/** No call whose path counts is longer. */
const MAX_PENDING_LENGTH = 1 << 16
const RESUMED = /^<\.\.\. ([a-z_][a-z0-9_]*) resumed>\s?/
const NAME = /^([a-z_][a-z0-9_]*)\(/
const ENDED = /^\+\+\+ (?:exited|killed) /
const SUPERSEDED = /^\+\+\+ superseded by execve in pid (\d+)/

/**
 * Lines of `strace -f` in any form: with or without times, descriptors' paths (-y, -yy), durations (-T), a file for all processes (-o). A file counts as
 * read where it is opened for reading, run, or read as a symlink, and the call succeeds; asking for its status does not count.
 */
export function parseStrace(events: TraceEvents): (line: string) => void {
  const processes = new Processes()
  return (line) => {
    const { pid, text } = splitStraceLine(line)
    if (ENDED.test(text)) return processes.end(pid)
    const superseded = SUPERSEDED.exec(text)
    if (superseded !== null) return processes.supersede(pid, superseded[1]!)
    const resumed = RESUMED.exec(text)
    const name = resumed?.[1] ?? NAME.exec(text)?.[1]
    const handle = name === undefined ? undefined : CALLS[name]
    if (name === undefined || handle === undefined) return
    const process = processes.get(pid)
    let whole = text
    if (resumed !== null) {
      if (!process.pending?.startsWith(`${name}(`)) return
      whole = process.pending + text.slice(resumed[0].length)
      process.pending = undefined
    }
    if (whole.endsWith(UNFINISHED)) {
      if (whole.length > MAX_PENDING_LENGTH) return
      process.pending = whole.slice(0, -UNFINISHED.length)
      if (handle === fork) processes.forking = process
      return
    }
    const call = parseCall(whole.slice(name.length + 1))
    if (call?.result !== undefined && call.result >= 0) handle({ call, process, processes, events })
  }
}

interface Context {
  readonly call: Call
  readonly process: Process
  readonly processes: Processes
  readonly events: TraceEvents
}

type Handler = (context: Context) => void

/** A path argument from the root of all, through the descriptor or the working folder that it is relative to. */
function resolve(process: Process, path: Argument | undefined, folder?: Argument): string | undefined {
  if (path?.string === undefined || path.isCut) return undefined
  const { cwd, root } = process.folders
  if (path.string.startsWith('/')) return root + path.string
  const from =
    folder?.path ??
    (folder?.descriptor === undefined || folder.descriptor === 'AT_FDCWD'
      ? cwd
      : process.descriptors.get(folder.descriptor))
  // Where a path may be empty, it is the descriptor itself
  return path.string === '' ? from : pathFrom(from, path.string)
}

function open(path: number, flags: number, folder?: number): Handler {
  return ({ call, process, events }) => {
    const named = resolve(process, call.arguments[path], folder === undefined ? undefined : call.arguments[folder])
    const found = named ?? call.resultPath
    const how = flags < 0 ? 'O_WRONLY|O_CREAT|O_TRUNC' : (call.arguments[flags]?.raw ?? '')
    setDescriptor(process, String(call.result), found)
    if (/O_DIRECTORY|O_PATH|O_TMPFILE/.test(how)) return
    const isMade = /O_TRUNC/.test(how) || (/O_CREAT/.test(how) && /O_EXCL/.test(how))
    if (!isMade && /O_WRONLY/.test(how)) return
    if (found === undefined) return events.unresolved()
    if (isMade) events.created(textOf(found))
    else events.read(textOf(found))
  }
}

function read(path: number, folder?: number): Handler {
  return ({ call, process, events }) => {
    const found = resolve(process, call.arguments[path], folder === undefined ? undefined : call.arguments[folder])
    if (found === undefined) events.unresolved()
    else events.read(textOf(found))
  }
}

function make(path: number, folder?: number): Handler {
  return ({ call, process, events }) => {
    const found = resolve(process, call.arguments[path], folder === undefined ? undefined : call.arguments[folder])
    if (found !== undefined) events.created(textOf(found))
  }
}

function rename(from: number, to: number, folders?: readonly [number, number]): Handler {
  return ({ call, process, events }) => {
    const [source, target] = [from, to].map((path, i) =>
      resolve(process, call.arguments[path], folders && call.arguments[folders[i]!]),
    )
    if (source !== undefined && target !== undefined) events.moved(textOf(source), textOf(target))
  }
}

function changeFolder({ call, process }: Context): void {
  const to = resolve(process, call.arguments[0])
  process.folders.cwd = to === undefined ? undefined : (cleanPath(to) ?? '')
}

function fork({ call, process, processes }: Context): void {
  processes.fork(process, String(call.result), call.arguments.map(({ raw }) => raw).join(' '))
}

function duplicate({ call, process }: Context): void {
  const [from, command] = call.arguments
  if (command !== undefined && /^F_(?!DUPFD)/.test(command.raw)) return
  setDescriptor(process, String(call.result), from?.path ?? process.descriptors.get(from?.descriptor ?? ''))
}

const CALLS: Readonly<Record<string, Handler>> = Object.assign(Object.create(null), {
  open: open(0, 1),
  openat: open(1, 2, 0),
  openat2: open(1, 2, 0),
  creat: open(0, -1),
  execve: read(0),
  execveat: read(1, 0),
  readlink: read(0),
  readlinkat: read(1, 0),
  mkdir: make(0),
  mkdirat: make(1, 0),
  symlink: make(1),
  symlinkat: make(2, 1),
  rename: rename(0, 1),
  renameat: rename(1, 3, [0, 2]),
  renameat2: rename(1, 3, [0, 2]),
  chdir: changeFolder,
  fchdir: ({ call, process }: Context) => {
    const { path, descriptor = '' } = call.arguments[0] ?? { raw: '' }
    process.folders.cwd = path ?? process.descriptors.get(descriptor)
  },
  getcwd: ({ call, process }: Context) => {
    const path = call.arguments[0]
    if (path?.string?.startsWith('/') && !path.isCut) process.folders.cwd = process.folders.root + path.string
  },
  chroot: ({ call, process }: Context) => {
    const to = resolve(process, call.arguments[0])
    if (to !== undefined) process.folders.root = cleanPath(to) ?? ''
  },
  clone: fork,
  clone3: fork,
  fork,
  vfork: fork,
  close: ({ call, process }: Context) => setDescriptor(process, call.arguments[0]?.descriptor ?? '', undefined),
  dup: duplicate,
  dup2: (context: Context) =>
    duplicate({ ...context, call: { ...context.call, arguments: context.call.arguments.slice(0, 1) } }),
  dup3: (context: Context) =>
    duplicate({ ...context, call: { ...context.call, arguments: context.call.arguments.slice(0, 1) } }),
  fcntl: duplicate,
} satisfies Record<string, Handler>)
