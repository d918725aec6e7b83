import { createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

/** Takes connections and says nothing. Gives its address. */
export async function startSilence(t: TestContext): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => sockets.add(socket.on('error', () => {})))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return `127.0.0.1:${(server.address() as { port: number }).port}`
}
