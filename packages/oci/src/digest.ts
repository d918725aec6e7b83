import type { Hash } from 'node:crypto'
import type { Descriptor } from './descriptor.js'

export type DigestAlgorithm = 'sha256' | 'sha512'

export interface Digest {
  readonly algorithm: DigestAlgorithm
  /** Lower case. */
  readonly hex: string
}

/**
 * `sha256:…` or `sha512:…` with as many lower-case hexadecimal digits as it needs (image-spec v1.1.1, descriptor.md "Registered Algorithms").
 * @throws ImageReferenceError
 */
export function parseDigest(_text: string): Digest {
  throw new Error('not yet')
}

export function isDigest(_text: string): boolean {
  throw new Error('not yet')
}

/** `sha256:…` of the bytes. */
export function digestOf(_bytes: Uint8Array): string {
  throw new Error('not yet')
}

/** Checks a content against its descriptor while it streams by: `update` with its bytes in order, then `finish`. */
export class ContentVerifier {
  declare readonly hash: Hash
  constructor(_descriptor: Descriptor, _where: string) {
    throw new Error('not yet')
  }
  /** @throws StoreError SIZE_MISMATCH as soon as there is more than the descriptor's size */
  update(_chunk: Uint8Array): void {}
  /** @throws StoreError SIZE_MISMATCH, DIGEST_MISMATCH */
  finish(): void {}
}

/** The stream as it is; it throws at its end where digest or size are not the descriptor's. `where` is for the message. */
export function verifying(
  _descriptor: Descriptor,
  _content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  _where: string,
): AsyncIterable<Uint8Array> {
  throw new Error('not yet')
}
