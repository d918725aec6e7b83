// What of a repository's images only Amazon ECR's own API does or tells.
import type { EcrHost } from '../document/ecr-host.js'
import { StoreError } from '../error.js'
import type { CallOptions } from '../store.js'
import { withEcr } from './ecr-client.js'

/** Why ECR did not delete an image (ECR API, ImageFailure). */
export interface EcrDeletionFailure {
  readonly code: string
  readonly reason: string
}

/** The calls of the AWS SDK: for tests, or for a client of one's own. */
export interface EcrImagesApi {
  /** Removes an image with all its tags (BatchDeleteImage). */
  delete(
    host: EcrHost,
    repository: string,
    digest: string,
    options: CallOptions,
  ): Promise<EcrDeletionFailure | undefined>
  /** When an image was pushed last (DescribeImages); undefined where ECR does not have it. */
  pushedAt(host: EcrHost, repository: string, digest: string, options: CallOptions): Promise<Date | undefined>
}

/**
 * Removes an image from ECR, which has no DELETE of the registry API. One that is not there is no error.
 * @throws StoreError DENIED where ECR refuses, also if an image index still lists the image
 */
export async function deleteEcrImage(
  api: EcrImagesApi,
  host: EcrHost,
  repository: string,
  digest: string,
  { signal }: CallOptions,
): Promise<void> {
  const name = `${repository}@${digest}`
  const failure = await api.delete(host, repository, digest, { signal }).catch((cause: Error) => {
    signal?.throwIfAborted()
    const message = `Amazon ECR did not delete ${name} (ecr:BatchDeleteImage): ${cause.message}`
    throw new StoreError('DENIED', message, { cause })
  })
  if (failure === undefined || failure.code === 'ImageNotFound') return
  throw new StoreError('DENIED', `Amazon ECR did not delete ${name}: ${failure.code}: ${failure.reason}`)
}

/** @throws StoreError DENIED where ECR does not tell */
export async function ecrPushTime(
  api: EcrImagesApi,
  host: EcrHost,
  repository: string,
  digest: string,
  { signal }: CallOptions,
): Promise<Date | undefined> {
  return await api.pushedAt(host, repository, digest, { signal }).catch((cause: Error) => {
    signal?.throwIfAborted()
    const message = `Amazon ECR did not tell when ${repository}@${digest} was pushed (ecr:DescribeImages): ${cause.message}`
    throw new StoreError('DENIED', message, { cause })
  })
}

export const ECR_IMAGES: EcrImagesApi = {
  delete: (host, repositoryName, imageDigest, { signal }) =>
    withEcr(host, { signal }, async (client, sdk, options) => {
      const imageIds = [{ imageDigest }]
      const command = new sdk.BatchDeleteImageCommand({ registryId: host.account, repositoryName, imageIds })
      const failure = (await client.send(command, options)).failures?.[0]
      return failure && { code: failure.failureCode ?? 'unknown', reason: failure.failureReason ?? '' }
    }),
  pushedAt: (host, repositoryName, imageDigest, { signal }) =>
    withEcr(host, { signal }, async (client, sdk, options) => {
      const imageIds = [{ imageDigest }]
      const command = new sdk.DescribeImagesCommand({ registryId: host.account, repositoryName, imageIds })
      try {
        return (await client.send(command, options)).imageDetails?.[0]?.imagePushedAt
      } catch (error) {
        if (error instanceof sdk.ImageNotFoundException) return undefined
        throw error
      }
    }),
}
