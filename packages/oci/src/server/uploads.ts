import { createHash, type Hash, randomUUID } from 'node:crypto'
import type { DigestAlgorithm } from '../document/digest.js'
import type { UploadStage } from './upload-stage.js'

/** Milliseconds after which an upload that has bytes may give way to another. */
const REST = 60_000

/** An upload's bytes, and their digest as far as they go. */
export class Upload {
  readonly id = randomUUID()
  readonly repository: string
  readonly stage: UploadStage
  readonly #algorithm: DigestAlgorithm
  readonly #hash: Hash
  #last: Promise<unknown> = Promise.resolve()
  #running = 0
  #touched = Date.now()

  constructor(repository: string, stage: UploadStage, algorithm: DigestAlgorithm) {
    this.repository = repository
    this.stage = stage
    this.#algorithm = algorithm
    this.#hash = createHash(algorithm)
  }

  get isIdle(): boolean {
    return this.#running === 0
  }

  /** Milliseconds since something was done with it; 0 while that is so. */
  get idle(): number {
    return this.#running > 0 ? 0 : Date.now() - this.#touched
  }

  /** Runs what changes it when all that was asked before is done: a client that was cut off may come back before we know. */
  async exclusively<T>(work: () => Promise<T>): Promise<T> {
    this.#running++
    const result = this.#last.then(work)
    this.#last = result.catch(() => {})
    try {
      return await result
    } finally {
      this.#running--
      this.#touched = Date.now()
    }
  }

  async append(chunk: Uint8Array): Promise<void> {
    await this.stage.append(chunk)
    this.#hash.update(chunk)
  }

  /** `sha256:…` of its bytes. Another algorithm than that it was begun with reads them again. */
  async digest(algorithm: DigestAlgorithm): Promise<string> {
    if (algorithm === this.#algorithm) return `${algorithm}:${this.#hash.copy().digest('hex')}`
    const hash = createHash(algorithm)
    for await (const chunk of this.stage.read()) hash.update(chunk)
    return `${algorithm}:${hash.digest('hex')}`
  }
}

/** The uploads that are under way. Those that nobody goes on with are dropped. */
export class Uploads {
  readonly #uploads = new Map<string, Upload>()
  readonly #limit: number
  readonly #expiry: number
  readonly #timer: NodeJS.Timeout

  /** @param limit uploads at once @param expiry milliseconds */
  constructor(limit: number, expiry: number) {
    this.#limit = limit
    this.#expiry = expiry
    this.#timer = setInterval(() => this.#expire(), Math.min(expiry, 60_000)).unref()
  }

  /**
   * Makes room for one more: where there are too many, the one that rested longest gives way, if nothing came for it yet or it rested for a minute. Gives
   * whether there is room.
   */
  async makeRoom(): Promise<boolean> {
    if (this.#uploads.size < this.#limit) return true
    const resting = [...this.#uploads.values()].filter(
      ({ isIdle, idle, stage }) => isIdle && (stage.size === 0 || idle > REST),
    )
    const oldest = resting.sort((a, b) => b.idle - a.idle)[0]
    if (oldest === undefined) return false
    await this.remove(oldest)
    return this.#uploads.size < this.#limit
  }

  add(upload: Upload): void {
    this.#uploads.set(upload.id, upload)
  }

  find(repository: string, id: string): Upload | undefined {
    const upload = this.#uploads.get(id)
    return upload?.repository === repository ? upload : undefined
  }

  async remove(upload: Upload): Promise<void> {
    this.#uploads.delete(upload.id)
    await upload.stage.discard()
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await Promise.all([...this.#uploads.values()].map((upload) => this.remove(upload)))
  }

  #expire(): void {
    for (const upload of this.#uploads.values()) if (upload.idle > this.#expiry) this.remove(upload).catch(() => {}) // a file that stays goes with its folder
  }
}
