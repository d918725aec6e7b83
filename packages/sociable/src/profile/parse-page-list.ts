import type { ByteRange } from './profile.js'
import type { TraceEvents } from './trace-collector.js'
import { textOf } from './trace-path.js'

const LINE = /^(\/[^\t]*)\t(\d{1,15}-\d{1,15}(?:,\d{1,15}-\d{1,15})*)$/

export function isPageList(line: string): boolean {
  return LINE.test(line)
}

/** Lines of a path, a tab, and the half-open byte ranges that are in the page cache: `/usr/bin/app<TAB>0-4096,8192-12288`. */
export function parsePageList(events: TraceEvents): (line: string) => void {
  return (line) => {
    const [, path, list] = LINE.exec(line) ?? []
    if (path === undefined || list === undefined) return
    const ranges = list
      .split(',')
      .map((range) => range.split('-').map(Number) as [number, number])
      .filter(([start, end]: ByteRange) => end > start)
    if (ranges.length > 0) events.read(textOf(path), ranges)
  }
}
