import { StoreError } from '../error.js'
import { isLoopback } from './hosts.js'
import { TransientError } from './transient.js'

/** Codes of Node's TLS: the server is there, and is not trusted. */
const UNTRUSTED =
  /^(?:CERT_|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_(?:GET|VERIFY)_|ERR_TLS_CERT_ALTNAME_INVALID|HOSTNAME_MISMATCH)/
/** Codes of undici's parser: what answers does not speak HTTP. */
const NOT_HTTP = /^(?:HPE_|UND_ERR_(?:HEADERS_OVERFLOW|INVALID_ARG|RES_EXCEEDED))/
const NO_TLS = /^(?:EPROTO|ERR_SSL_)/

/** A failure of the network as a `StoreError`: transient, but for what stays as it is however often one asks. A `StoreError` is given back. */
export function connectionFailure(error: unknown, what: string, url: URL): StoreError {
  if (error instanceof StoreError) return error
  const { code, reason } = rootOf(error)
  if (code === 'ENOTFOUND')
    return new StoreError('UNREACHABLE', `${what}: there is no host ${url.hostname}: is its name right?`, {
      cause: error,
    })
  if (code === 'ECONNREFUSED' && isLoopback(url.hostname))
    return new StoreError('UNREACHABLE', `${what}: nothing listens at ${url.host}: is the registry running?`, {
      cause: error,
    })
  if (UNTRUSTED.test(code))
    return new StoreError(
      'UNREACHABLE',
      `${what}: the certificate of ${url.host} is not trusted (${code}): name its authority in NODE_EXTRA_CA_CERTS, or use --insecure`,
      { cause: error },
    )
  if (NO_TLS.test(code))
    return new StoreError(
      'UNREACHABLE',
      `${what}: ${url.host} does not speak TLS as it should (${code}): if it speaks plain HTTP, use --plain-http`,
      { cause: error },
    )
  if (NOT_HTTP.test(code))
    return new StoreError('PROTOCOL', `${what}: what answers does not keep to HTTP (${code}): is that a registry?`, {
      cause: error,
    })
  return new TransientError('UNREACHABLE', `${what}: ${reason}`, { cause: error })
}

/** The error beneath: several addresses tried come as an AggregateError. */
function rootOf(error: unknown): { readonly code: string; readonly reason: string } {
  let root = error
  while (root instanceof Error) {
    const beneath: unknown =
      root instanceof AggregateError ? root.errors[0] : codeOf(root) === '' ? root.cause : undefined
    if (!(beneath instanceof Error)) break
    root = beneath
  }
  const reason = root instanceof Error ? root.message : 'the connection failed'
  return { code: root instanceof Error ? codeOf(root) : '', reason }
}

function codeOf(error: Error): string {
  const code: unknown = 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : ''
}
