import { setTimeout as sleep } from 'node:timers/promises'
import { printable } from 'sociable'
import type { CloudFormationEvent } from './event.js'

/** What CloudFormation is answered ("Custom resource response objects" in its template reference). */
export interface Answer {
  readonly Status: 'SUCCESS' | 'FAILED'
  readonly Reason?: string
  readonly PhysicalResourceId: string
  readonly StackId: string
  readonly RequestId: string
  readonly LogicalResourceId: string
  readonly Data?: Readonly<Record<string, string>>
}

/** Bytes of an answer, at most. */
export const ANSWER_LIMIT = 4096
/** The physical id of what was never made: its Delete has nothing to do. */
const NOTHING_MADE = 'nothing-made'

export function succeeded(
  event: CloudFormationEvent,
  physicalId: string,
  data?: Readonly<Record<string, string>>,
): Answer {
  return { Status: 'SUCCESS', ...repeated(event, physicalId), ...(data !== undefined && { Data: data }) }
}

/**
 * @param physicalId of what was to be made, for Create: the Delete that follows cleans up. An Update keeps the one that it came with, as
 * another would make CloudFormation delete what there is
 */
export function failed(event: CloudFormationEvent, reason: string, physicalId?: string): Answer {
  const id = event.PhysicalResourceId ?? physicalId ?? `${NOTHING_MADE}:${event.RequestId}`
  return { Status: 'FAILED', Reason: printable(reason), ...repeated(event, id) }
}

function repeated({ StackId, RequestId, LogicalResourceId }: CloudFormationEvent, PhysicalResourceId: string) {
  return { PhysicalResourceId, StackId, RequestId, LogicalResourceId }
}

/** The answer's bytes, within the limit: its longest text in words (reason, or an attribute) is cut where it has to be. */
export function encodeAnswer(answer: Answer): Uint8Array {
  const bytes = Buffer.from(JSON.stringify(answer))
  const excess = bytes.length - ANSWER_LIMIT
  if (excess <= 0) return bytes
  const { Reason = '', Data = {} } = answer
  const [name, longest] = Object.entries(Data).reduce((a, b) => (b[1].length > a[1].length ? b : a), ['', Reason])
  // By what its characters take on average, which may not do at once; each round makes the text shorter
  const removed = Math.ceil(excess / (Buffer.byteLength(JSON.stringify(longest)) / longest.length)) + CUT.length
  const cut = `${longest.slice(0, Math.max(0, longest.length - removed)).replace(/[\ud800-\udbff]$/, '')}${CUT}`
  if (cut.length >= longest.length)
    throw new RangeError(`an answer has ${bytes.length} bytes, more than ${ANSWER_LIMIT}`)
  return encodeAnswer(name === '' ? { ...answer, Reason: cut } : { ...answer, Data: { ...Data, [name]: cut } })
}

const CUT = ' [cut]'

export interface SendOptions {
  /** Milliseconds before each further try. @default 0.5 s doubled up to 8 s: the response URL is S3's, which is seldom away for long */
  readonly delays?: readonly number[]
  /** Milliseconds that one try may take. @default 10 s */
  readonly timeout?: number
}

const DELAYS = [500, 1000, 2000, 4000, 8000]
const TIMEOUT = 10_000

/**
 * Answers the event: PUTs the answer to its response URL, and tries again what may pass.
 * @throws Error where it could not be delivered, without the URL
 */
export async function sendAnswer(event: CloudFormationEvent, answer: Answer, options: SendOptions = {}): Promise<void> {
  const { delays = DELAYS, timeout = TIMEOUT } = options
  const body = encodeAnswer(answer)
  for (let tries = 0; ; tries++) {
    const problem = await put(event.ResponseURL, body, timeout)
    if (problem === undefined) return
    const delay = problem.mayPass ? delays[tries] : undefined
    if (delay === undefined) throw new Error(`CloudFormation could not be answered: ${problem.what}`)
    await sleep(delay)
  }
}

interface Problem {
  readonly what: string
  readonly mayPass: boolean
}

async function put(url: string, body: Uint8Array, timeout: number): Promise<Problem | undefined> {
  let status: number
  try {
    const response = await fetch(url, {
      method: 'PUT',
      body,
      headers: { 'content-type': '' }, // part of what was signed
      signal: AbortSignal.timeout(timeout),
    })
    await response.body?.cancel()
    status = response.status
  } catch (error) {
    // Neither the error's message nor its cause, which may have the URL
    const code = (error as { readonly cause?: { readonly code?: unknown } }).cause?.code
    const what = typeof code === 'string' ? code : (error as Error).name
    return { what: `the response URL's host cannot be reached (${what})`, mayPass: true }
  }
  if (status >= 200 && status < 300) return undefined
  return { what: `the response URL's host answered ${status}`, mayPass: status === 429 || status >= 500 }
}
