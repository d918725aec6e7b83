import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Certificate } from './certificate.js'

/** A server of a test or benchmark, on a free port of 127.0.0.1. */
export interface Listening {
  /** `127.0.0.1:40123` */
  readonly host: string
  /** `http://127.0.0.1:40123`, or with https. */
  readonly url: string
  /** Ends it with all its connections. Further calls do nothing. */
  close(): Promise<void>
}

export async function listen(
  handler: (request: IncomingMessage, response: ServerResponse) => void | Promise<void>,
  { tls }: { readonly tls?: Certificate | undefined } = {},
): Promise<Listening> {
  const listener: RequestListener = (request, response) => {
    // A double that fails must show: its client sees the connection break, its test the error's text.
    Promise.resolve(handler(request, response)).catch((error) => response.destroy(error as Error))
  }
  const server: Server =
    tls === undefined ? createServer(listener) : createTlsServer({ cert: tls.certificate, key: tls.key }, listener)
  server.requestTimeout = 0 // an upload may be as slow as its test wants
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    host,
    url: `${tls === undefined ? 'http' : 'https'}://${host}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
