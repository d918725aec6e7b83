// What a run keeps in S3: `runs/NAME/images.json`, a file for each image that is finished, and `summary.json`.
import { createHash } from 'node:crypto'
import type { S3Client } from '@aws-sdk/client-s3'
import type { BackfillItem } from '../../../src/private/backfill-environment.js'
import { withAwsClient } from '../aws-client.js'

/** What became of an image. */
export interface ImageResult {
  /** `REPOSITORY:TAG` */
  readonly image: string
  readonly digest: string
  /** `indexed`: in this run; `present`: it had its index; `skipped`: there is nothing to index. */
  readonly state: 'indexed' | 'present' | 'skipped' | 'failed'
  readonly reason?: string
  /** Digest of the image, or v1 of what has the index. */
  readonly imageDigest?: string
  /** Compressed bytes of the layers that were indexed. */
  readonly bytes?: number
  readonly seconds?: number
}

const AT_ONCE = 50

/** The files of one run. */
export class RunFiles {
  readonly #client: S3Client
  readonly #bucket: string
  readonly #prefix: string
  readonly #signal: AbortSignal

  constructor(client: S3Client, bucket: string, run: string, signal: AbortSignal) {
    this.#client = client
    this.#bucket = bucket
    this.#prefix = `runs/${run}/`
    this.#signal = signal
  }

  async writeImages(images: readonly BackfillItem[]): Promise<void> {
    await this.#write('images.json', images)
  }

  /** Again for the same image replaces what was there. */
  async writeResult(result: ImageResult): Promise<void> {
    const name = createHash('sha256').update(result.image).digest('hex')
    await this.#write(`results/${name}.json`, result)
  }

  /** By image. */
  async readResults(): Promise<ImageResult[]> {
    const { paginateListObjectsV2 } = await import('@aws-sdk/client-s3')
    const keys: string[] = []
    const asked = { Bucket: this.#bucket, Prefix: `${this.#prefix}results/` }
    for await (const { Contents = [] } of paginateListObjectsV2({ client: this.#client }, asked, this.#options))
      keys.push(...Contents.flatMap(({ Key }) => Key ?? []))
    const results: ImageResult[] = []
    for (let from = 0; from < keys.length; from += AT_ONCE)
      results.push(...(await Promise.all(keys.slice(from, from + AT_ONCE).map((key) => this.#read(key)))))
    return results.sort((a, b) => (a.image < b.image ? -1 : 1))
  }

  /** @returns where it is */
  async writeSummary(summary: object): Promise<string> {
    return await this.#write('summary.json', summary)
  }

  get #options() {
    return { abortSignal: this.#signal }
  }

  async #write(name: string, document: object): Promise<string> {
    const { PutObjectCommand } = await import('@aws-sdk/client-s3')
    const Key = this.#prefix + name
    const Body = `${JSON.stringify(document)}\n`
    const command = new PutObjectCommand({ Bucket: this.#bucket, Key, Body, ContentType: 'application/json' })
    await this.#client.send(command, this.#options)
    return Key
  }

  async #read(Key: string): Promise<ImageResult> {
    const { GetObjectCommand } = await import('@aws-sdk/client-s3')
    const { Body } = await this.#client.send(new GetObjectCommand({ Bucket: this.#bucket, Key }), this.#options)
    return JSON.parse((await Body?.transformToString()) ?? '') as ImageResult
  }
}

export async function withRunFiles<Result>(
  bucket: string,
  run: string,
  signal: AbortSignal,
  use: (files: RunFiles) => Promise<Result>,
): Promise<Result> {
  const { S3Client } = await import('@aws-sdk/client-s3')
  return await withAwsClient(
    (options) => new S3Client(options),
    (client) => use(new RunFiles(client, bucket, run, signal)),
  )
}
