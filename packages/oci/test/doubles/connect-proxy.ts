import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Listening } from './listen.js'

export interface ConnectProxy extends Listening {
  /** `host:port` of all that was asked for, in order. */
  readonly asked: readonly string[]
}

/**
 * An HTTP proxy that makes tunnels (RFC 9110, CONNECT) to other hosts than are asked for, so that a program under test can use real names.
 * @param lead where a name leads to: `127.0.0.1:40123`; undefined for nowhere, as in a network without a way out
 */
export async function startConnectProxy(lead: (host: string) => string | undefined): Promise<ConnectProxy> {
  const asked: string[] = []
  const sockets = new Set<Duplex>()
  const server = createServer((_, response) => response.writeHead(405).end())
  server.on('connect', (request, client: Duplex, head: Buffer) => {
    asked.push(request.url!)
    const [host, port] = lead(request.url!.replace(/:\d+$/, ''))?.split(':') ?? []
    client.on('error', () => {})
    if (host === undefined) return void client.end('HTTP/1.1 504 Gateway Timeout\r\ncontent-length: 0\r\n\r\n')
    const target = connect(Number(port), host, () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      target.write(head)
      target.pipe(client).pipe(target)
    })
    for (const [one, other] of [
      [client, target],
      [target, client],
    ] as const) {
      sockets.add(one)
      one.on('error', () => {})
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    asked,
    host,
    url: `http://${host}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
        for (const socket of sockets) socket.destroy()
      }),
  }
}
