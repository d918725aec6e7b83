import { StoreError } from '../error.js'
import { isLoopback } from './hosts.js'
import type { HttpProxy } from './proxy.js'
import { TransientError } from './transient.js'

/** Codes of Node's TLS: the server is there, and is not trusted. */
const UNTRUSTED =
  /^(?:CERT_|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_(?:GET|VERIFY)_|ERR_TLS_CERT_ALTNAME_INVALID|HOSTNAME_MISMATCH)/
/** Codes of undici's parser: what answers does not speak HTTP. */
const NOT_HTTP = /^(?:HPE_|UND_ERR_(?:HEADERS_OVERFLOW|INVALID_ARG|RES_EXCEEDED))/
const NO_TLS = /^(?:EPROTO|ERR_SSL_)/
/** undici's code for a host that took no connection in time, as from a network without a way to it. It was waited for long enough each time. */
const NO_CONNECTION = 'UND_ERR_CONNECT_TIMEOUT'
const CONNECTION_RETRIES = 2

/** What undici says where a proxy answers CONNECT with anything but 200. */
const TUNNEL_REFUSED = /^Proxy response \((\d{3})\)/

/**
 * A failure of the network as a `StoreError`: transient, except for what stays the same however often one asks. A `StoreError` is returned as it is, and so
 * is an error of the program's own (a TypeError): trying again cannot help there.
 * @param proxy that the request went through
 */
export function connectionFailure(error: unknown, what: string, url: URL, proxy?: HttpProxy): unknown {
  if (error instanceof StoreError) return error
  const { root, code, reason } = rootOf(error)
  if (isProgramError(root)) return error
  const options = { cause: error }
  const tunnel = TUNNEL_REFUSED.exec(reason)
  if (tunnel !== null && proxy !== undefined) return proxyRefusal(Number(tunnel[1]), what, proxy, options)
  const unreachable = (message: string, advice?: string) =>
    new StoreError('UNREACHABLE', `${what}: ${message}`, { ...options, advice })
  if (code === 'ENOTFOUND' && proxy !== undefined)
    return unreachable(
      `there is no host ${proxy.url.hostname}, the proxy that ${proxy.variable} names: is its name right?`,
    )
  if (code === 'ENOTFOUND') return unreachable(`there is no host ${url.hostname}: is its name right?`)
  if (code === 'ECONNREFUSED' && isLoopback(url.hostname))
    return unreachable(`nothing listens at ${url.host}: is the registry running?`)
  if (code === 'ECONNREFUSED' && proxy !== undefined && isLoopback(proxy.url.hostname))
    return unreachable(`nothing listens at ${proxy.url.host}, the proxy that ${proxy.variable} names: is it running?`)
  if (UNTRUSTED.test(code))
    return unreachable(
      `the certificate of ${url.host} is not trusted (${code})`,
      "name its authority in NODE_EXTRA_CA_CERTS, use the system's with NODE_OPTIONS=--use-openssl-ca, or use --insecure",
    )
  if (NO_TLS.test(code))
    return unreachable(
      `${url.host} does not speak TLS as it should (${code})`,
      'if it speaks plain HTTP, use --plain-http',
    )
  if (NOT_HTTP.test(code))
    return new StoreError('PROTOCOL', `${what}: the answer is not valid HTTP (${code}): is that a registry?`, options)
  const through = proxy === undefined ? '' : `, through the proxy ${proxy.url.host} that ${proxy.variable} names`
  const brief = `connection to ${url.host} failed${code === '' ? '' : ` (${code})`}`
  const retries = code === NO_CONNECTION ? CONNECTION_RETRIES : undefined
  return new TransientError('UNREACHABLE', `${what}: ${reason}${through}`, { ...options, brief, retries })
}

/** Whether what failed is TLS itself: the other side does not speak it, or not with a trusted certificate. */
export function tlsProblem(error: unknown): 'no TLS' | 'untrusted' | undefined {
  const { code } = rootOf(error)
  if (UNTRUSTED.test(code)) return 'untrusted'
  return NO_TLS.test(code) || code === 'ECONNREFUSED' ? 'no TLS' : undefined
}

/** A proxy that does not let a request through: for good, unless the proxy itself has trouble. Never with the proxy's login. */
export function proxyRefusal(
  status: number,
  what: string,
  { url, variable }: HttpProxy,
  options?: ErrorOptions,
): StoreError {
  const says = `${what}: the proxy ${url.host} that ${variable} names answers ${status}`
  if (status === 407)
    return new StoreError(
      'UNREACHABLE',
      `${says}: it requires a login, as in http://USER:PASSWORD@${url.host}`,
      options,
    )
  if (status >= 500) return new TransientError('UNREACHABLE', `${says}: it cannot reach the host`, options)
  return new StoreError(
    'UNREACHABLE',
    `${says}: it does not let this host through; NO_PROXY lists hosts to reach directly`,
    options,
  )
}

/** Faults of code, not of the network; undici's own errors have a code. */
function isProgramError(error: unknown): boolean {
  const isKind = error instanceof TypeError || error instanceof ReferenceError || error instanceof RangeError
  return isKind && codeOf(error) === ''
}

/** The error beneath: several addresses tried come as an AggregateError. */
function rootOf(error: unknown): { readonly root: unknown; readonly code: string; readonly reason: string } {
  let root = error
  while (root instanceof Error) {
    const beneath: unknown =
      root instanceof AggregateError ? root.errors[0] : codeOf(root) === '' ? root.cause : undefined
    if (!(beneath instanceof Error)) break
    root = beneath
  }
  const reason = root instanceof Error ? root.message : 'the connection failed'
  return { root, code: root instanceof Error ? codeOf(root) : '', reason }
}

function codeOf(error: Error): string {
  const code: unknown = 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : ''
}
