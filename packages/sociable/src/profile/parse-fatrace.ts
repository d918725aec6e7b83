import type { TraceEvents } from './trace-collector.js'
import { textOf } from './trace-path.js'

const LINE =
  /^(?:\d\d:\d\d:\d\d(?:\.\d+)? |\d+\.\d+ )?[^"]{1,64}\(\d+\)(?: \[[^\]]*\])?: (?<kinds>[RWCODM+<>]+)\s+(?<path>\/.*)$/

export function isFatrace(line: string): boolean {
  return LINE.test(line)
}

/** Lines of `fatrace`, with or without times: `cat(1234): RO /etc/passwd`. https://github.com/martinpitt/fatrace */
export function parseFatrace(events: TraceEvents): (line: string) => void {
  return (line) => {
    const { kinds, path } = LINE.exec(line)?.groups ?? {}
    if (kinds === undefined || path === undefined) return
    if (kinds.includes('+')) events.created(textOf(path))
    else if (kinds.includes('R') || (kinds.includes('O') && !kinds.includes('W'))) events.read(textOf(path))
  }
}
