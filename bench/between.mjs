// Stands between a client and a registry, in a process of its own: `link` is a network, of 60 MB/s and 3 ms there and back unless
// another rate and latency follow, `counter` counts. Forked with which, and the registry's host. Sends `{ host }`; it answers a
// message with what has passed since the one before: `{ requests, down, up }`, bytes.
import { startFaultProxy } from '../packages/oci/dist/test/doubles/fault-proxy.js'
import { startLink } from '../packages/oci/dist/test/doubles/link.js'

const [kind, target, bytesPerSecond = '60e6', roundTrip = '3'] = process.argv.slice(2)
const started =
  kind === 'link'
    ? await startLink({ target, bytesPerSecond: Number(bytesPerSecond), latency: Number(roundTrip) / 2 })
    : await startFaultProxy({ target: `http://${target}` })

/** All that has passed so far. */
function total() {
  const { bytes, requests } = started
  return { requests: requests?.length ?? 0, down: bytes.down ?? bytes.sent, up: bytes.up ?? bytes.received }
}

let before = total()
process.on('message', () => {
  const now = total()
  process.send({ requests: now.requests - before.requests, down: now.down - before.down, up: now.up - before.up })
  before = now
})
process.on('disconnect', () => process.exit())
process.send({ host: started.host })
