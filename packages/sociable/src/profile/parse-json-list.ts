import { decodeProfile } from './decode-profile.js'
import type { TraceEvents } from './trace-collector.js'
import { TraceError } from './trace-error.js'

/** A JSON document: an array of paths, one of our profiles, or what `fincore --json` prints. @throws TraceError */
export function parseJsonList(
  text: string,
  events: TraceEvents,
): 'JSON list' | 'profile' | 'static profile' | 'fincore' {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new TraceError(`it is not valid JSON: ${(cause as Error).message}`, { cause })
  }
  if (Array.isArray(value)) {
    value.forEach((path, i) => {
      if (typeof path !== 'string') throw new TraceError(`item ${i + 1} of its array is not a path`)
      events.read(path.startsWith('/') ? path : `/${path}`)
    })
    return 'JSON list'
  }
  const { fincore } = value as { readonly fincore?: unknown }
  if (Array.isArray(fincore)) {
    for (const item of fincore as ({ readonly file?: unknown; readonly pages?: unknown } | null)[])
      if (typeof item?.file === 'string' && Number(item.pages) > 0) events.read(item.file)
    return 'fincore'
  }
  try {
    const profile = decodeProfile(text)
    for (const { path, ranges } of profile.files) events.read(path, ranges)
    return profile.static ? 'static profile' : 'profile'
  } catch (cause) {
    if (cause instanceof TraceError) throw cause
    throw new TraceError((cause as Error).message, { cause })
  }
}
