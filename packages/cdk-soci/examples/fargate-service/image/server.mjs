// Answers with how this task's image was loaded: "soci" is lazily, "overlayfs" is whole.
import { createServer } from 'node:http'

createServer(async (_request, response) => {
  const metadata = await fetch(process.env.ECS_CONTAINER_METADATA_URI_V4).then((answer) => answer.json())
  response.end(`${metadata.Snapshotter ?? 'unknown'}\n`)
}).listen(8080)
