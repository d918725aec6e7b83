// Amazon S3 as far as it is asked here (PutObject, GetObject and ListObjectsV2 of its API reference), with buckets in the path.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { TestContext } from 'node:test'
import { doubles } from './cloud.js'

/** Contents by `BUCKET/KEY`. */
export type Files = Map<string, Buffer>

/** Keys of one page. */
const PAGE = 1000

export interface S3 {
  readonly files: Files
  readonly environment: Readonly<Record<string, string>>
  /** What was asked, as IAM knows it. */
  readonly calls: { readonly action: string; readonly resource: string }[]
}

export async function startS3(t: TestContext): Promise<S3> {
  const { listen } = await doubles()
  const files: Files = new Map()
  const calls: S3['calls'] = []
  const server = await listen(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
    calls.push(callOf(request))
    answerS3(files, request, response, Buffer.concat(chunks))
  })
  t.after(() => server.close())
  return { files, calls, environment: { AWS_ENDPOINT_URL_S3: server.url } }
}

function callOf({ method, url }: IncomingMessage): { action: string; resource: string } {
  const { pathname, searchParams } = new URL(url!, 'http://s3')
  const [bucket, ...key] = decodeURIComponent(pathname).slice(1).split('/')
  if (searchParams.has('list-type')) return { action: 's3:ListBucket', resource: `arn:aws:s3:::${bucket}` }
  return {
    action: method === 'PUT' ? 's3:PutObject' : 's3:GetObject',
    resource: `arn:aws:s3:::${bucket}/${key.join('/')}`,
  }
}

export function answerS3(files: Files, request: IncomingMessage, response: ServerResponse, body: Buffer): void {
  const { pathname, searchParams } = new URL(request.url!, 'http://s3')
  const name = decodeURIComponent(pathname).slice(1)
  if (request.method === 'PUT') {
    files.set(name, decodeChunks(request, body))
    response.writeHead(200, { etag: '"x"' }).end()
  } else if (searchParams.has('list-type')) {
    const bucket = name.replace(/\/$/, '')
    const prefix = searchParams.get('prefix') ?? ''
    const after = searchParams.get('continuation-token') ?? ''
    const keys = [...files.keys()]
      .filter((file) => file.startsWith(`${bucket}/${prefix}`))
      .map((file) => file.slice(bucket.length + 1))
      .filter((key) => key > after)
      .sort()
    const page = keys.slice(0, PAGE)
    const more = keys.length > PAGE
    const contents = page.map((key) => `<Contents><Key>${key}</Key></Contents>`).join('')
    const next = more ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : ''
    response
      .writeHead(200, { 'content-type': 'application/xml' })
      .end(`<ListBucketResult><IsTruncated>${more}</IsTruncated>${next}${contents}</ListBucketResult>`)
  } else {
    const file = files.get(name)
    if (file !== undefined) response.writeHead(200, { 'content-type': 'application/json' }).end(file)
    else response.writeHead(404).end('<Error><Code>NoSuchKey</Code><Message>no such key</Message></Error>')
  }
}

/** The SDK signs what it streams chunk by chunk ("aws-chunked" in the S3 user guide): `SIZE;…CRLF DATA CRLF`, and trailers. */
function decodeChunks({ headers }: IncomingMessage, body: Buffer): Buffer {
  if (!String(headers['content-encoding']).includes('aws-chunked')) return body
  const parts: Buffer[] = []
  for (let at = 0; ; ) {
    const end = body.indexOf('\r\n', at)
    const size = Number.parseInt(body.subarray(at, end).toString(), 16)
    if (!(size > 0)) return Buffer.concat(parts)
    parts.push(body.subarray(end + 2, end + 2 + size))
    at = end + 4 + size
  }
}
