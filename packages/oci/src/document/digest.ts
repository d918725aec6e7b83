import { createHash } from 'node:crypto'
import { ImageReferenceError, StoreError } from '../error.js'
import type { Descriptor } from './descriptor.js'

export type DigestAlgorithm = 'sha256' | 'sha512'

export interface Digest {
  readonly algorithm: DigestAlgorithm
  /** Lower case. */
  readonly hex: string
}

const DIGEST = /^(?:(sha256):([0-9a-f]{64})|(sha512):([0-9a-f]{128}))$/

/**
 * `sha256:…` or `sha512:…` with as many lower-case hexadecimal digits as it needs (image-spec v1.1.1, descriptor.md "Registered Algorithms").
 * @throws ImageReferenceError
 */
export function parseDigest(text: string): Digest {
  const match = DIGEST.exec(text)
  if (match === null)
    throw new ImageReferenceError(
      `${JSON.stringify(text.slice(0, 150))} is not a digest: it should be sha256: and 64, or sha512: and 128 lower-case hexadecimal digits`,
    )
  return match[1] === 'sha256' ? { algorithm: 'sha256', hex: match[2]! } : { algorithm: 'sha512', hex: match[4]! }
}

export function isDigest(text: string): boolean {
  return DIGEST.test(text)
}

/** `sha256:…` of the bytes. */
export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

/** Checks a content against its descriptor while it streams by: `update` with its bytes in order, then `finish`. `where` is for the messages. */
export class ContentVerifier {
  readonly #descriptor: Descriptor
  readonly #where: string
  readonly #algorithm: DigestAlgorithm
  readonly #hash
  #size = 0

  /** @throws ImageReferenceError where the descriptor's digest is none */
  constructor(descriptor: Descriptor, where: string) {
    this.#descriptor = descriptor
    this.#where = where
    this.#algorithm = parseDigest(descriptor.digest).algorithm
    this.#hash = createHash(this.#algorithm)
  }

  /** @throws StoreError SIZE_MISMATCH as soon as there is more than the descriptor's size */
  update(chunk: Uint8Array): void {
    this.#size += chunk.length
    checkSize(this.#descriptor, this.#size, this.#where, 'more')
    this.#hash.update(chunk)
  }

  /** @throws StoreError SIZE_MISMATCH, DIGEST_MISMATCH */
  finish(): void {
    checkSize(this.#descriptor, this.#size, this.#where, 'end')
    const digest = `${this.#algorithm}:${this.#hash.digest('hex')}`
    if (digest !== this.#descriptor.digest)
      throw new StoreError(
        'DIGEST_MISMATCH',
        `${this.#where}: the content of ${this.#descriptor.digest} (${this.#size} bytes) has the digest ${digest}: it is damaged: fetch or build it again`,
      )
  }
}

/** The stream as it is; it throws, at its end at the latest, where digest or size are not the descriptor's. */
export async function* verifying(
  descriptor: Descriptor,
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  where: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  const verifier = new ContentVerifier(descriptor, where)
  for await (const chunk of content) {
    verifier.update(chunk)
    yield chunk
  }
  verifier.finish()
}

/** The stream as it is; it throws where its length is not the descriptor's size. */
export async function* measuring(
  descriptor: Descriptor,
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  where: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  let size = 0
  for await (const chunk of content) {
    size += chunk.length
    checkSize(descriptor, size, where, 'more')
    yield chunk
  }
  checkSize(descriptor, size, where, 'end')
}

function checkSize(descriptor: Descriptor, size: number, where: string, at: 'more' | 'end'): void {
  if (size > descriptor.size) throw sizeMismatch(descriptor, `at least ${size}`, where)
  if (at === 'end' && size !== descriptor.size) throw sizeMismatch(descriptor, size, where)
}

export function sizeMismatch(descriptor: Descriptor, found: number | string, where: string): StoreError {
  return new StoreError(
    'SIZE_MISMATCH',
    `${where}: the content of ${descriptor.digest} has ${found} bytes, its descriptor says ${descriptor.exactSize ?? descriptor.size}`,
  )
}
