import { ManifestError, StoreError } from '@sociable/oci'
import { FileError, LayerFormatError, ZtocFormatError } from '@sociable/ztoc'
import type { Finding, FindingCode } from './finding.js'

const WARNINGS: readonly FindingCode[] = ['INDEX_IGNORED', 'NOT_COVERED', 'TOOL_UNKNOWN', 'NO_INDEX', 'CONTENT_ABSENT']
const DAMAGE = ['DIGEST_MISMATCH', 'SIZE_MISMATCH', 'PROTOCOL']

export const INDEX_AGAIN = 'Make the index again: `sociable convert --force`.'
export const COPY_AGAIN = 'Push or copy the image again from a sound source.'

/** Collects what is wrong, as results or as errors that were thrown. */
export class Findings {
  readonly all: Finding[] = []
  readonly #signal: AbortSignal | undefined

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal
  }

  add(code: FindingCode, platform: string | undefined, message: string, advice: string): void {
    const severity = WARNINGS.includes(code) ? 'warning' : 'error'
    this.all.push({ code, severity, ...(platform !== undefined && { platform }), message, advice })
  }

  /**
   * Runs `work`. Content that is missing, damaged or malformed becomes a finding, and the result is undefined.
   * @throws all other errors of `work`, such as a registry that refuses access
   */
  async attempt<Value>(
    platform: string | undefined,
    what: string,
    work: () => Promise<Value>,
  ): Promise<Value | undefined> {
    try {
      return await work()
    } catch (error) {
      this.#signal?.throwIfAborted()
      const message = `${what}: ${error instanceof Error ? error.message : String(error)}`
      if (error instanceof StoreError && error.code === 'NOT_FOUND')
        this.add('CONTENT_MISSING', platform, message, COPY_AGAIN)
      else if (error instanceof ManifestError || (error instanceof StoreError && DAMAGE.includes(error.code)))
        this.add('CONTENT_DAMAGED', platform, message, COPY_AGAIN)
      else if (error instanceof ZtocFormatError) this.add('ZTOC_INVALID', platform, message, INDEX_AGAIN)
      else if (error instanceof LayerFormatError || error instanceof FileError)
        this.add('FILES_DIFFER', platform, message, INDEX_AGAIN)
      else throw error
      return undefined
    }
  }
}
