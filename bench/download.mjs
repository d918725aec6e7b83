// `node bench/download.mjs URL…`: downloads them all at once, and does nothing with what comes.
import { get } from 'node:http'

await Promise.all(process.argv.slice(2).map(download))

function download(url) {
  return new Promise((resolve, reject) => {
    const request = get(url, (response) => {
      if (response.statusCode !== 200) reject(new Error(`${url} answered ${response.statusCode}`))
      response.on('error', reject).on('end', resolve).resume()
    })
    request.on('error', reject)
  })
}
