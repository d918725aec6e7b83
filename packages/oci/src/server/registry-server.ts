import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Registry, type RegistryOptions } from './registry.js'

export interface RegistryServerOptions extends RegistryOptions {
  /** Address or name that it listens on. @default '127.0.0.1': nobody else's machine gets in, as there are no passwords */
  readonly host?: string | undefined
  /** @default 0, any that is free */
  readonly port?: number | undefined
  /** Milliseconds after which a connection is ended on which nothing moves in the middle of a request. @default 60 s */
  readonly idleTimeout?: number | undefined
}

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
 * @throws Error of the system's where it cannot listen there
 * @example
 * const server = await serveRegistry({ repositories: memoryRepositories() })
 * // crane copy alpine ${server.host}/alpine
 * await server.close()
 */
export async function serveRegistry(options: RegistryServerOptions): Promise<RegistryServer> {
  const registry = new Registry(options)
  const server = createServer((request, response) => void registry.handle(request, response))
  server.requestTimeout = 0 // an upload takes as long as it takes, as long as it moves
  server.headersTimeout = 30_000
  server.keepAliveTimeout = 60_000
  server.timeout = options.idleTimeout ?? 60_000
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
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
