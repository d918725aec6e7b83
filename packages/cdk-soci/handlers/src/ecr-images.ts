import type { ImageIdentifier } from '@aws-sdk/client-ecr'
import { withEcrApi } from './ecr-api.js'
import type { EcrRepository } from './ecr-repository.js'

/** BatchDeleteImage takes so many (Amazon ECR API reference). */
const DELETIONS = 100
const PAGE = 1000

/** What of ECR is in its API only: all tags with their digests, and deleting. */
export class EcrImages {
  readonly #repository: EcrRepository
  readonly #signal: AbortSignal

  constructor(repository: EcrRepository, signal: AbortSignal) {
    this.#repository = repository
    this.#signal = signal
  }

  /** Digests by tag. @throws the SDK's errors: AccessDeniedException, RepositoryNotFoundException, … */
  async tags(): Promise<ReadonlyMap<string, string>> {
    const { ListImagesCommand } = await import('@aws-sdk/client-ecr')
    const tags = new Map<string, string>()
    await withEcrApi(this.#repository, async (client) => {
      let nextToken: string | undefined
      do {
        const command = new ListImagesCommand({
          ...this.#names(),
          filter: { tagStatus: 'TAGGED' },
          maxResults: PAGE,
          nextToken,
        })
        const page = await client.send(command, { abortSignal: this.#signal })
        for (const { imageTag, imageDigest } of page.imageIds ?? [])
          if (imageTag !== undefined && imageDigest !== undefined) tags.set(imageTag, imageDigest)
        nextToken = page.nextToken
      } while (nextToken !== undefined)
    })
    return tags
  }

  /**
   * Removes tags, and with its last tag an image; or images by digest. What is not there, or belongs to an image that is, is left.
   * @throws Error with what ECR says where one could not be deleted for another reason
   */
  async delete(images: readonly ImageIdentifier[]): Promise<void> {
    const { BatchDeleteImageCommand } = await import('@aws-sdk/client-ecr')
    for (let from = 0; from < images.length; from += DELETIONS) {
      const imageIds = images.slice(from, from + DELETIONS)
      const command = new BatchDeleteImageCommand({ ...this.#names(), imageIds })
      const { failures = [] } = await withEcrApi(this.#repository, (client) =>
        client.send(command, { abortSignal: this.#signal }),
      )
      for (const { failureCode, failureReason, imageId } of failures)
        if (failureCode !== 'ImageNotFound' && failureCode !== 'ImageReferencedByManifestList')
          throw new Error(
            `${imageId?.imageTag ?? imageId?.imageDigest} of ${this.#repository.uri} could not be deleted: ${failureCode}: ${failureReason}`,
          )
    }
  }

  #names() {
    const { account: registryId, name: repositoryName } = this.#repository
    return { registryId, repositoryName }
  }
}
