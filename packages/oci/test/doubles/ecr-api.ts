// Amazon ECR's own API, as far as the AWS SDK is used for it (Amazon ECR API reference: GetAuthorizationToken, DescribeRepositories, ListImages,
// DescribeImages, BatchDeleteImage), over the registry's own state.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { readContent } from '../../src/content.js'
import type { Descriptor } from '../../src/document/descriptor.js'
import { decodeIndex, decodeManifest } from '../../src/document/manifest.js'
import { isIndexType } from '../../src/document/mediatype.js'
import type { ServedStore } from '../../src/server/repositories.js'

export interface EcrApiState {
  readonly account: string
  authorizationToken(): string
  /** Names of all repositories. */
  repositories(): Promise<readonly string[]>
  /** The repository's store; undefined where there is none. */
  store(repository: string): Promise<ServedStore | undefined>
  /** Digests of its manifests. */
  manifests(repository: string): Promise<readonly string[]>
  /** When a manifest was pushed last; undefined for one that was put into the store by hand. */
  pushedAt(repository: string, digest: string): Date | undefined
  /** Whether a manifest is archived: it is described, but cannot be pulled. */
  isArchived(repository: string, digest: string): boolean
  /** Results of one answer, at most. */
  readonly pageSize: number
  /** What a repository says of its tags. */
  tagRules(repository: string): Readonly<Record<string, unknown>>
  /** What IAM says against the call; undefined where it is allowed. */
  refuse(action: string, repository: string | undefined): string | undefined
}

interface ImageId {
  readonly imageTag?: string
  readonly imageDigest?: string
}

interface Asked {
  readonly registryId?: string
  readonly repositoryName?: string
  readonly repositoryNames?: readonly string[]
  readonly imageIds?: readonly ImageId[]
  readonly filter?: { readonly tagStatus?: string; readonly imageStatus?: string }
  readonly maxResults?: number
  readonly nextToken?: string
}

/** An answer other than 200. */
class ApiError extends Error {
  readonly type: string
  constructor(type: string, message: string) {
    super(message)
    this.type = type
  }
}

export async function answerEcrApi(
  request: IncomingMessage,
  response: ServerResponse,
  state: EcrApiState,
): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  const action = String(request.headers['x-amz-target'] ?? '').split('.')[1] ?? ''
  const answer = (status: number, document: object) => {
    const body = JSON.stringify(document)
    const headers = { 'content-type': 'application/x-amz-json-1.1', 'content-length': Buffer.byteLength(body) }
    response.writeHead(status, headers).end(body)
  }
  try {
    const asked = JSON.parse(Buffer.concat(chunks).toString() || '{}') as Asked
    answer(200, await perform(action, asked, state, request.headers.host ?? ''))
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    answer(400, { __type: error.type, message: error.message })
  }
}

async function perform(action: string, asked: Asked, state: EcrApiState, host: string): Promise<object> {
  const repository = asked.repositoryName ?? asked.repositoryNames?.[0]
  const refused = state.refuse(`ecr:${action}`, action === 'GetAuthorizationToken' ? undefined : repository)
  if (refused !== undefined) throw new ApiError('AccessDeniedException', refused)
  if (action === 'GetAuthorizationToken') {
    const expiresAt = Math.floor(Date.now() / 1000) + 12 * 3600
    const authorizationToken = state.authorizationToken()
    return { authorizationData: [{ authorizationToken, expiresAt, proxyEndpoint: `http://${host}` }] }
  }
  if (action === 'DescribeRepositories' && repository === undefined)
    return await describeRepositories(asked, state, host)
  const store = repository === undefined ? undefined : await state.store(repository)
  if (repository === undefined || store === undefined || (asked.registryId ?? state.account) !== state.account)
    throw new ApiError(
      'RepositoryNotFoundException',
      `The repository with name '${repository}' does not exist in the registry with id '${asked.registryId ?? state.account}'`,
    )
  if (action === 'DescribeRepositories') return { repositories: [describeRepository(repository, state, host)] }
  if (action === 'ListImages') return await listImages(asked, store, await state.manifests(repository))
  if (action === 'DescribeImages') return await describeImages(asked, store, repository, state)
  if (action === 'BatchDeleteImage') {
    const { imageIds = [] } = asked
    if (imageIds.length === 0 || imageIds.length > 100)
      throw new ApiError('InvalidParameterException', `there are ${imageIds.length} imageIds, not 1 to 100`)
    const deleted: ImageId[] = []
    const failures: object[] = []
    for (const imageId of imageIds) {
      const failureCode = await deleteImage(imageId, store, await state.manifests(repository), deleted)
      if (failureCode !== undefined) failures.push({ imageId, failureCode, failureReason: 'as said' })
    }
    return { imageIds: deleted, failures }
  }
  throw new ApiError('UnknownOperationException', action)
}

function describeRepository(repositoryName: string, state: EcrApiState, host: string): object {
  const repositoryUri = `${host}/${repositoryName}`
  return { registryId: state.account, repositoryName, repositoryUri, ...state.tagRules(repositoryName) }
}

async function describeRepositories(
  { maxResults = 100, nextToken }: Asked,
  state: EcrApiState,
  host: string,
): Promise<object> {
  const names = await state.repositories()
  const from = Number(nextToken ?? 0)
  const to = from + Math.min(maxResults, state.pageSize)
  const repositories = names.slice(from, to).map((name) => describeRepository(name, state, host))
  return { repositories, ...(to < names.length && { nextToken: String(to) }) }
}

async function listImages(
  { filter, maxResults = 100, nextToken }: Asked,
  store: ServedStore,
  manifests: readonly string[],
): Promise<object> {
  const images = await taggedImages(store)
  const untagged = manifests.filter((digest) => images.every(({ imageDigest }) => imageDigest !== digest))
  const all: ImageId[] = [
    ...(filter?.tagStatus === 'UNTAGGED' ? [] : images),
    ...(filter?.tagStatus === 'TAGGED' ? [] : untagged.map((imageDigest) => ({ imageDigest }))),
  ]
  const from = Number(nextToken ?? 0)
  const to = from + maxResults
  return { imageIds: all.slice(from, to), ...(to < all.length && { nextToken: String(to) }) }
}

async function describeImages(
  { imageIds, filter, maxResults = 100, nextToken }: Asked,
  store: ServedStore,
  repository: string,
  state: EcrApiState,
): Promise<object> {
  const tags = await taggedImages(store)
  const manifests = await state.manifests(repository)
  const tagsOf = (digest: string) => tags.filter((one) => one.imageDigest === digest).map((one) => one.imageTag)
  const statusOf = (digest: string) => (state.isArchived(repository, digest) ? 'ARCHIVED' : 'ACTIVE')
  const wanted = imageIds?.map(({ imageTag, imageDigest }) => {
    const digest = imageDigest ?? tags.find((one) => one.imageTag === imageTag)?.imageDigest
    if (digest !== undefined && manifests.includes(digest)) return digest
    const id = `{imageDigest:'${imageDigest ?? null}', imageTag:'${imageTag ?? null}'}`
    throw new ApiError(
      'ImageNotFoundException',
      `The image with imageId ${id} does not exist within the repository with name '${repository}' in the registry with id '${state.account}'`,
    )
  })
  const all = (wanted ?? manifests).filter((digest) => {
    const isTagged = tagsOf(digest).length > 0
    const { tagStatus, imageStatus = 'ANY' } = filter ?? {}
    if (imageStatus !== 'ANY' && imageStatus !== statusOf(digest)) return false
    return tagStatus === undefined || isTagged === (tagStatus === 'TAGGED')
  })
  const from = Number(nextToken ?? 0)
  const to = from + Math.min(maxResults, state.pageSize)
  const imageDetails = await Promise.all(
    all.slice(from, to).map(async (imageDigest) => {
      const descriptor = await store.resolve(imageDigest)
      const imagePushedAt = state.pushedAt(repository, imageDigest)
      const imageTags = tagsOf(imageDigest)
      return {
        registryId: state.account,
        repositoryName: repository,
        imageDigest,
        imageStatus: statusOf(imageDigest),
        ...(imageTags.length > 0 && { imageTags }),
        ...(imagePushedAt !== undefined && { imagePushedAt: imagePushedAt.getTime() / 1000 }),
        imageManifestMediaType: descriptor.mediaType,
        ...(await contentDetails(store, descriptor)),
      }
    }),
  )
  return { imageDetails, ...(to < all.length && { nextToken: String(to) }) }
}

/** ECR gives sizes of images and artifacts, none of indexes. */
async function contentDetails(store: ServedStore, descriptor: Descriptor): Promise<object> {
  if (isIndexType(descriptor.mediaType)) return {}
  const { config, layers = [], artifactType } = decodeManifest(await readContent(store, descriptor), descriptor.digest)
  const imageSizeInBytes = [config, ...layers].reduce((sum, { size }) => sum + size, 0)
  return { imageSizeInBytes, artifactMediaType: artifactType ?? config.mediaType }
}

/** Undefined where it was done; else ECR's failure code. */
async function deleteImage(
  { imageTag, imageDigest }: ImageId,
  store: ServedStore,
  manifests: readonly string[],
  deleted: ImageId[],
): Promise<string | undefined> {
  if (imageTag === undefined && imageDigest === undefined) return 'MissingDigestAndTag'
  const images = await taggedImages(store)
  const digest = imageTag === undefined ? imageDigest : images.find((one) => one.imageTag === imageTag)?.imageDigest
  if (digest === undefined || !manifests.includes(digest)) return 'ImageNotFound'
  if (imageDigest !== undefined && imageDigest !== digest) return 'ImageTagDoesNotMatchDigest'
  const tags = images.filter((one) => one.imageDigest === digest).map((one) => one.imageTag)
  const goes = imageTag === undefined || tags.length === 1
  if (goes && (await isListed(digest, store, manifests))) return 'ImageReferencedByManifestList'
  for (const tag of imageTag === undefined ? tags : [imageTag]) {
    await store.untag!(tag)
    deleted.push({ imageTag: tag, imageDigest: digest })
  }
  if (tags.length === 0) deleted.push({ imageDigest: digest })
  if (goes) await store.delete!({ mediaType: '', digest, size: (await store.sizeOf(digest)) ?? 0 })
  return undefined
}

async function taggedImages(store: ServedStore): Promise<Required<ImageId>[]> {
  const images: Required<ImageId>[] = []
  for await (const imageTag of store.tags())
    images.push({ imageTag, imageDigest: (await store.resolve(imageTag)).digest })
  return images
}

/** Whether an index that is there lists it. */
async function isListed(digest: string, store: ServedStore, manifests: readonly string[]): Promise<boolean> {
  for (const other of manifests) {
    const index: Descriptor = await store.resolve(other)
    if (!isIndexType(index.mediaType)) continue
    const { manifests: children = [] } = decodeIndex(await readContent(store, index), other)
    if (children.some((child) => child.digest === digest)) return true
  }
  return false
}
