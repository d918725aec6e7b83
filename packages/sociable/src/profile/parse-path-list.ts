import type { TraceEvents } from './trace-collector.js'
import { textOf } from './trace-path.js'

export function isPathList(line: string): boolean {
  return line.startsWith('/')
}

/** A path on each line. Empty lines, and those that begin with `#`, are left out. */
export function parsePathList(events: TraceEvents): (line: string) => void {
  return (line) => {
    if (line.startsWith('/')) events.read(textOf(line))
    else if (line.trim() !== '' && !line.startsWith('#')) events.unresolved()
  }
}
