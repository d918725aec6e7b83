import { createServer, type IncomingMessage, request as sendRequest } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Listening } from './listen.js'

export interface ConnectProxy extends Listening {
  /** `host:port` of all that was asked for, in order; of plain HTTP, which needs no tunnel, the whole address. */
  readonly asked: readonly string[]
}

export interface ConnectProxyOptions {
  /** `user:password` that requests must have. @default none */
  readonly login?: string
  /** Answers every request with this status. @default none */
  readonly refuse?: number
}

/**
 * An HTTP proxy that makes tunnels (RFC 9110, CONNECT) to other hosts than are asked for, so that a program under test can use real names. Plain HTTP it
 * forwards (RFC 9112, absolute-form), and tunnels none to port 80, as many proxies do.
 * @param lead where a name leads to: `127.0.0.1:40123`; undefined for nowhere, as in a network without a way out
 */
export async function startConnectProxy(
  lead: (host: string) => string | undefined,
  { login, refuse }: ConnectProxyOptions = {},
): Promise<ConnectProxy> {
  const asked: string[] = []
  const sockets = new Set<Duplex>()
  const wanted = login === undefined ? undefined : `Basic ${Buffer.from(login).toString('base64')}`
  const refusal = ({ headers }: IncomingMessage): number | undefined =>
    refuse ?? (wanted !== undefined && headers['proxy-authorization'] !== wanted ? 407 : undefined)
  const server = createServer((request, response) => {
    asked.push(request.url!)
    const status = refusal(request) ?? (URL.canParse(request.url!) ? undefined : 400)
    if (status !== undefined) return void response.writeHead(status, { 'content-length': 0 }).end()
    const url = new URL(request.url!)
    const [host, port] = lead(url.hostname)?.split(':') ?? []
    if (host === undefined) return void response.writeHead(504, { 'content-length': 0 }).end()
    const { 'proxy-authorization': _, ...headers } = request.headers
    const options = { host, port: Number(port), method: request.method!, path: url.pathname + url.search, headers }
    const forwarded = sendRequest(options, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers)
      answer.pipe(response)
    })
    forwarded.on('error', () => response.destroy())
    request.pipe(forwarded)
  })
  server.on('connect', (request, client: Duplex, head: Buffer) => {
    asked.push(request.url!)
    const status = refusal(request) ?? (request.url!.endsWith(':80') ? 403 : undefined)
    if (status !== undefined) return void client.end(`HTTP/1.1 ${status} No\r\ncontent-length: 0\r\n\r\n`)
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
