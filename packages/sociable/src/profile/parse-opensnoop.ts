import type { TraceEvents } from './trace-collector.js'
import { textOf } from './trace-path.js'

const HEADER = /^\s*(?:(?:TIME(?:\(s\))?|UID|PID|TID|PID\/TID)\s+)+COMM\s+FD\s+ERR\s+(?:FLAGS\s+)?(?:MODE\s+)?PATH\s*$/

export function isOpensnoop(line: string): boolean {
  return HEADER.test(line)
}

// Of <fcntl.h>, as Linux has them on x86 and most others
const O_ACCMODE = 0o3
const O_WRONLY = 0o1
const O_CREATED = 0o200 | 0o1000 // O_EXCL, O_TRUNC
const O_DIRECTORY = 0o200000

/**
 * Lines of `opensnoop`, of bcc (with any of -T, -U, -e) and of bpftrace: the header says which columns there are.
 * https://github.com/iovisor/bcc/blob/master/tools/opensnoop_example.txt
 */
export function parseOpensnoop(events: TraceEvents): (line: string) => void {
  let row: RegExp | undefined
  return (line) => {
    if (isOpensnoop(line)) {
      const columns = line
        .trim()
        .split(/\s+/)
        .map((name) => COLUMNS[name] ?? String.raw`\S+`)
      row = new RegExp(String.raw`^\s*${columns.join(String.raw`\s+`)}$`)
      return
    }
    const { fd, flags, path } = row?.exec(line)?.groups ?? {}
    if (path === undefined || Number(fd) < 0) return
    if (!path.startsWith('/')) return events.unresolved()
    const bits = flags === undefined ? 0 : Number.parseInt(flags, 8)
    if ((bits & O_CREATED) !== 0) events.created(textOf(path))
    else if ((bits & O_ACCMODE) !== O_WRONLY && (bits & O_DIRECTORY) === 0) events.read(textOf(path))
  }
}

const COLUMNS: Readonly<Record<string, string>> = {
  COMM: '.{1,16}?', // a command's name may have spaces
  FD: String.raw`(?<fd>-?\d+)`,
  ERR: String.raw`-?\d+`,
  FLAGS: '(?<flags>[0-7]+)',
  PATH: '(?<path>.+)',
}
