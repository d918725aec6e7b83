import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { StoreError } from '../error.js'
import { checkHost } from './guard.js'
import { Registry, type RegistryOptions } from './registry.js'

export interface RegistryServerOptions extends RegistryOptions {
  /** Address or name that it listens on. @default '127.0.0.1': there is no login, so only this machine can connect */
  readonly host?: string | undefined
  /** @default 0, any that is free */
  readonly port?: number | undefined
  /** Host names that requests may have in `Host` and `Origin`, beside those of the loopback and `host`. @default none */
  readonly allowedHosts?: readonly string[] | undefined
  /** Milliseconds after which a connection is ended on which nothing moves in the middle of a request. @default 60 s */
  readonly idleTimeout?: number | undefined
}

/** Connections at once: each may keep some 300 KB of an answer that nobody reads. */
const CONNECTION_LIMIT = 512

export interface RegistryServer {
  /** `127.0.0.1:5000`: what an image's name begins with. */
  readonly host: string
  /** `http://127.0.0.1:5000` */
  readonly url: string
  /** Ends it: requests that are under way have `grace` milliseconds, no more. Then the stores are closed. @default 0 */
  close(grace?: number): Promise<void>
}

/**
 * Serves stores as a registry, over plain HTTP.
 * @throws StoreError DENIED or UNREACHABLE if it cannot listen there
 * @example
 * const server = await serveRegistry({ repositories: memoryRepositories() })
 * // crane copy alpine ${server.host}/alpine
 * await server.close()
 */
export async function serveRegistry(options: RegistryServerOptions): Promise<RegistryServer> {
  const registry = new Registry(options)
  const allowed = [...(options.allowedHosts ?? []), ...(options.host === undefined ? [] : [options.host])]
  const server = createServer((request, response) => {
    inTurn(request, response, () => registry.handle(request, response, () => checkHost(request, allowed)))
  })
  server.maxConnections = CONNECTION_LIMIT
  server.requestTimeout = 0 // an upload takes as long as it takes, as long as it moves
  server.headersTimeout = 30_000
  server.keepAliveTimeout = 60_000
  server.timeout = options.idleTimeout ?? 60_000
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(listenError(error, options)))
      server.listen(options.port ?? 0, options.host ?? '127.0.0.1', resolve)
    })
  } catch (error) {
    await registry.close()
    throw error
  }
  const { address, port, family } = server.address() as AddressInfo
  const host = family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`
  const end = async (grace: number) => {
    const ended = new Promise<void>((resolve) => server.close(() => resolve()))
    server.closeIdleConnections()
    const timer = setTimeout(() => server.closeAllConnections(), grace)
    await ended
    clearTimeout(timer)
    await registry.close()
  }
  let ended: Promise<void> | undefined
  return {
    host,
    url: `http://${host}`,
    close(grace = 0) {
      ended ??= end(grace)
      return ended
    },
  }
}

const lastOf = new WeakMap<Socket, Promise<void>>()

/** Answers a connection's requests one after the other: the answers to those that a client sends ahead would all wait in memory. */
function inTurn(request: IncomingMessage, response: ServerResponse, handle: () => Promise<void>): void {
  const { socket } = request
  const isDone = new Promise<void>((resolve) => response.once('close', resolve))
  const before = lastOf.get(socket)
  lastOf.set(socket, isDone)
  if (before === undefined) void handle()
  else void before.then(() => (response.destroyed ? undefined : handle()))
}

function listenError(
  cause: NodeJS.ErrnoException,
  { host = '127.0.0.1', port = 0 }: RegistryServerOptions,
): StoreError {
  switch (cause.code) {
    case 'EADDRINUSE':
      return new StoreError(
        'DENIED',
        `port ${port} of ${host} is in use (EADDRINUSE): choose another port, or 0 for any free port`,
        { cause },
      )
    case 'EACCES':
      return new StoreError(
        'DENIED',
        `this account may not use port ${port} of ${host} (EACCES): choose port 1024 or higher`,
        {
          cause,
        },
      )
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new StoreError('UNREACHABLE', `${host} is not an address of this machine (${cause.code})`, { cause })
    default:
      return new StoreError('UNREACHABLE', `cannot listen on port ${port} of ${host}: ${cause.message}`, { cause })
  }
}
