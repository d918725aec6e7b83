import { decodePath } from '../reading/path-bytes.js'
import { formatBinarySize } from '../size.js'
import { isFatrace, parseFatrace } from './parse-fatrace.js'
import { parseJsonList } from './parse-json-list.js'
import { isOpensnoop, parseOpensnoop } from './parse-opensnoop.js'
import { isPageList, parsePageList } from './parse-page-list.js'
import { isPathList, parsePathList } from './parse-path-list.js'
import { parseStrace } from './parse-strace.js'
import type { Profile } from './profile.js'
import { isStrace } from './strace-call.js'
import { type CollectOptions, TraceCollector, type TraceEvents } from './trace-collector.js'
import { TraceError } from './trace-error.js'
import { traceLines } from './trace-lines.js'

export interface TraceSource {
  /** For messages. */
  readonly name: string
  readonly content: AsyncIterable<Uint8Array>
}

export type TraceForm =
  | 'strace'
  | 'opensnoop'
  | 'fatrace'
  | 'page list'
  | 'path list'
  | 'JSON list'
  | 'profile'
  | 'static profile'
  | 'fincore'

export interface TraceOptions extends CollectOptions {
  readonly signal?: AbortSignal | undefined
}

export interface TraceResult {
  readonly profile: Profile
  readonly traces: readonly {
    readonly name: string
    readonly form: TraceForm
    /** Paths that were left out because the trace does not tell them in full. */
    readonly unresolved: number
  }[]
}

interface LineForm {
  readonly form: TraceForm
  readonly matches: (line: string) => boolean
  readonly parse: (events: TraceEvents) => (line: string) => void
}

const LINE_FORMS: readonly LineForm[] = [
  { form: 'opensnoop', matches: isOpensnoop, parse: parseOpensnoop },
  { form: 'page list', matches: isPageList, parse: parsePageList },
  { form: 'path list', matches: isPathList, parse: parsePathList },
  { form: 'fatrace', matches: isFatrace, parse: parseFatrace },
  { form: 'strace', matches: isStrace, parse: parseStrace },
]
/** So many lines may come before the first that shows the form: what programs print when they begin. */
const MAX_PREAMBLE = 1000
const MAX_JSON_SIZE = 256 << 20

/**
 * A profile of what traces read: files in the order of first use, the first trace's before the second's. The content of each trace shows its form: strace,
 * opensnoop, fatrace, a list of pages or paths, a JSON array, or a profile. Reads traces as streams. Leaves out `/proc`, `/sys`, `/dev`, `/run`, `/tmp`, folders, and files that
 * the run itself makes.
 * @throws TraceError for an unknown form, invalid JSON, and more than 1,000,000 files
 */
export async function profileFromTraces(
  sources: readonly TraceSource[],
  options: TraceOptions = {},
): Promise<TraceResult> {
  const collector = new TraceCollector(options)
  const traces: { name: string; form: TraceForm; unresolved: number }[] = []
  for (const { name, content } of sources) {
    const before = collector.unresolvedPaths
    try {
      const form = await collect(content, collector, options.signal)
      traces.push({ name, form, unresolved: collector.unresolvedPaths - before })
    } catch (error) {
      if (!(error instanceof TraceError)) throw error
      throw new TraceError(`${name}: ${error.message}`, { cause: error.cause })
    }
    collector.forgetCreated()
  }
  const isStatic = traces.length > 0 && traces.every(({ form }) => form === 'static profile')
  return { profile: { ...collector.profile(), ...(isStatic && { static: true as const }) }, traces }
}

async function collect(
  content: AsyncIterable<Uint8Array>,
  events: TraceEvents,
  signal: AbortSignal | undefined,
): Promise<TraceForm> {
  let form: LineForm | undefined
  let parse: ((line: string) => void) | undefined
  let lineCount = 0
  const json: Buffer[] = []
  let jsonSize = 0
  for await (const lines of traceLines(content)) {
    signal?.throwIfAborted()
    for (const line of lines) {
      if (parse !== undefined) {
        parse(line)
        continue
      }
      if (jsonSize > 0) {
        json.push(Buffer.from(`${line}\n`, 'latin1'))
        jsonSize += line.length + 1
        if (jsonSize > MAX_JSON_SIZE) throw new TraceError(`its JSON has more than ${formatBinarySize(MAX_JSON_SIZE)}`)
        continue
      }
      if (line.trim() === '') continue
      form = LINE_FORMS.find(({ matches }) => matches(line))
      if (form !== undefined) {
        parse = form.parse(events)
        parse(line)
      } else if (/^(?:\u00ef\u00bb\u00bf)?\s*[[{]\s*(?:["[{}\]]|$)/.test(line)) {
        json.push(Buffer.from(`${line.replace(/^\u00ef\u00bb\u00bf/, '')}\n`, 'latin1'))
        jsonSize = line.length + 1
      } else if (++lineCount > MAX_PREAMBLE) break
    }
    if (lineCount > MAX_PREAMBLE) break
  }
  if (jsonSize > 0) return parseJsonList(decodePath(Buffer.concat(json)), events)
  if (form !== undefined) return form.form
  throw new TraceError(
    'it is not a trace: use a log of strace, opensnoop or fatrace, a list of paths or pages, a JSON array of paths, or a profile',
  )
}
