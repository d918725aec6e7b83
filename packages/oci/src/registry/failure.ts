import { StoreError, type StoreErrorCode } from '../error.js'
import type { HttpResponse } from './http.js'
import { redactText } from './redact.js'
import { parseRetryAfter } from './retry.js'
import { TransientError } from './transient.js'

/** What a registry says of a refusal (distribution-spec v1.1.1, "Error Codes"), as far as it says it in that form. */
export interface Refusal {
  readonly status: number
  /** `MANIFEST_UNKNOWN`; '' where there is none. */
  readonly code: string
  /** Code and message, fit for a line; '' where there is none. */
  readonly detail: string
}

const DETAIL_SIZE = 64 << 10 // bytes of an answer that are looked at

/** Reads what the answer says is wrong. A body that is cut, or no JSON, says nothing. */
export async function readRefusal(response: HttpResponse, secrets: readonly string[] = []): Promise<Refusal> {
  const { status } = response
  const nothing = { status, code: '', detail: '' }
  let text: string
  try {
    text = new TextDecoder().decode(await response.bytes(DETAIL_SIZE))
  } catch (error) {
    if (error instanceof StoreError) return nothing
    throw error
  }
  // Object storage answers in XML; of it only the code, as the rest may quote the signature.
  const xml = /<Code>([A-Za-z0-9.]{1,60})<\/Code>/.exec(text)
  if (xml !== null) return { status, code: xml[1]!, detail: xml[1]! }
  const { code, message } = firstError(text)
  return { status, code, detail: redactText([code, message].filter((part) => part !== '').join(': '), secrets) }
}

function firstError(text: string): { readonly code: string; readonly message: string } {
  try {
    const json: unknown = JSON.parse(text)
    const errors = property(json, 'errors')
    const first = Array.isArray(errors) ? (errors[0] as unknown) : json
    // A token server's error is {"error", "error_description"} (RFC 6749, 5.2), others' is {"details"}.
    const code = stringOf(property(first, 'code')) || stringOf(property(first, 'error'))
    const message =
      stringOf(property(first, 'message')) ||
      stringOf(property(first, 'error_description')) ||
      stringOf(property(first, 'details'))
    return { code, message }
  } catch {
    return { code: '', message: '' }
  }
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined
}

function stringOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** What is known besides the answer: why it came, and what a user of the command line can do. */
export interface Explanation {
  readonly because?: string
  readonly advice?: string
}

/** The answer as an error: transient for 408, 425, 429 and 5xx (but those that say "never"). */
export function failureOf(
  response: HttpResponse,
  refusal: Refusal,
  { because = '', advice }: Explanation = {},
): StoreError {
  const { status, detail } = refusal
  const what = `${response.request} answered ${status}${detail === '' ? '' : ` (${detail})`}`
  if (status === 429 || status === 408 || status === 425 || (status >= 500 && status !== 501 && status !== 505)) {
    const retryAfter = parseRetryAfter(response.header('retry-after'), serverTime(response))
    const wait = retryAfter === undefined ? '' : `, and asks for a pause of ${Math.ceil(retryAfter / 1000)} seconds`
    const later =
      status === 429 ? `${what}${wait}: too many requests, try again later` : `${what}${wait}: try again later`
    return new TransientError(
      status === 429 ? 'RATE_LIMITED' : 'UNREACHABLE',
      `${later}${because === '' ? '' : `; ${because}`}`,
      {
        advice,
        retryAfter,
        brief: `${status} from ${response.url.host}`,
      },
    )
  }
  return new StoreError(codeOf(status), `${what}${because === '' ? '' : `: ${because}`}`, { advice })
}

function codeOf(status: number): StoreErrorCode {
  if (status === 401) return 'UNAUTHORIZED'
  if (status === 403 || status === 405) return 'DENIED'
  return status === 404 ? 'NOT_FOUND' : 'PROTOCOL'
}

function serverTime(response: HttpResponse): number {
  const date = Date.parse(response.header('date') ?? '')
  return Number.isNaN(date) ? Date.now() : date
}
