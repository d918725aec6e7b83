import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { RequestError } from './request-error.js'

/**
 * Refuses requests that a web page may have caused. A page whose name is made to lead to this machine (DNS rebinding) is known by the `Host` that its
 * requests have, any other page by its `Origin`. Names of the loopback and those in `allowed` pass, and the address that the connection came to.
 * @throws RequestError DENIED
 */
export function checkHost(request: IncomingMessage, allowed: readonly string[]): void {
  const { host, origin } = request.headers
  const passes = (authority: string | undefined) => {
    const name = hostOf(authority)
    if (name === undefined) return false
    return isLoopback(name) || allowed.some((other) => hostOf(other) === name) || isOwnAddress(request, name)
  }
  if (!passes(host))
    throw new RequestError(
      403,
      'DENIED',
      'this registry is not served under that host name: allow it with --allow-host',
    )
  if (origin !== undefined && !(/^https?:\/\//.test(origin) && passes(origin.replace(/^https?:\/\//, ''))))
    throw new RequestError(403, 'DENIED', 'web pages must not read this registry')
}

/** `localhost` of `LOCALHOST.:5000`, `::1` of `[::1]:5000`; `undefined` where it is not a host. */
function hostOf(authority: string | undefined): string | undefined {
  if (authority === undefined) return undefined
  if (isIP(authority) === 6) return authority
  const [, bracketed, plain] = /^(?:\[([0-9a-f:.]+)\]|([^:[\]/@\s]+))(?::\d*)?$/i.exec(authority) ?? []
  return (bracketed ?? plain)?.toLowerCase().replace(/\.$/, '')
}

/** RFC 6761 keeps `localhost` and what is below it for the loopback. */
function isLoopback(host: string): boolean {
  return (
    host === 'localhost' ||
    host.endsWith('.localhost') ||
    host === '::1' ||
    (isIP(host) === 4 && host.startsWith('127.'))
  )
}

/** An address cannot be rebound as a name can. */
function isOwnAddress({ socket }: IncomingMessage, host: string): boolean {
  return isIP(host) !== 0 && socket.localAddress?.replace(/^::ffff:/, '') === host
}
