// Tells how this task's image was loaded: "soci" is lazily, "overlayfs" is whole.
import { createServer } from 'node:http'

async function snapshotter() {
  const metadata = await fetch(process.env.ECS_CONTAINER_METADATA_URI_V4).then((answer) => answer.json())
  return metadata.Snapshotter ?? 'unknown'
}

console.log(`snapshotter: ${await snapshotter()}`)
createServer(async (_request, response) => {
  response.end(`${await snapshotter()}\n`)
}).listen(8080)
