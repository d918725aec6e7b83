import { Fn, RemovalPolicy, Stack, Token } from 'aws-cdk-lib'
import * as ecr from 'aws-cdk-lib/aws-ecr'
import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager'
import { Construct } from 'constructs'
import { SociCompute } from '../compute'
import type { SociContainerImageOptions } from '../container-image-options'
import { optionsSuffix, outputSuffix } from './checked-options'
import type { EcrImageName } from './image-name'
import { checkInputTag, checkOutputTag, defaultOutputTag } from './image-tag'
import { indexResource } from './index-resource'
import { isInBackground, isPublished, publishedTag } from './published-image'

/** An image that several containers of a stack may use. */
export interface SharedIndexRequest {
  readonly image: EcrImageName
  /** That of the image, where it is at hand: one of the app can be told who may use it. @default - taken from the name */
  readonly repository?: ecr.IRepository | undefined
  /** Name of the image in another registry that the image is a copy of. */
  readonly source?: string
  /** Login for that registry. */
  readonly sourceSecret?: secretsmanager.ISecret | undefined
}

const ID = 'SociIndex'

/** What a stack has indexes of. */
const known = new WeakMap<Stack, Map<string, SharedIndex>>()

/**
 * The index of an image that is built once in a stack, whatever the number of containers that use it. It stands below the first of them, so that its
 * logical id stays when the image changes: CloudFormation updates it, and what was made before serves as a cache.
 */
export class SharedIndex extends Construct {
  /**
   * The index that the scope's stack has of the image with the options, else a new one below the scope.
   * @param id where several are made below one scope
   * @throws Error for what is out of bounds
   */
  static of(scope: Construct, request: SharedIndexRequest, options: SociContainerImageOptions, id = ID): SharedIndex {
    const stack = Stack.of(scope)
    const indexes = known.get(stack) ?? new Map<string, SharedIndex>()
    known.set(stack, indexes)
    const key = keyOf(stack, request, options)
    const index = indexes.get(key) ?? new SharedIndex(scope, id, request, options)
    indexes.set(key, index)
    return index
  }

  /** Known after the image was indexed: what uses it waits. */
  readonly imageDigest: string

  private constructor(scope: Construct, id: string, request: SharedIndexRequest, options: SociContainerImageOptions) {
    super(scope, id)
    const { image } = request
    const { outputRepository, refresh, removalPolicy } = options
    const inputTag = image.reference
    checkInputTag('the tag', inputTag)
    const published = isPublished(options)
    const background = isInBackground(options)
    // What was made in the background is looked for in the next deployment, whose `refresh` is another
    const suffix = (background ? optionsSuffix : outputSuffix)(options, (value) => Stack.of(this).resolve(value))
    const outputTag = published
      ? publishedTag(image, options)
      : (options.outputImageTag ?? defaultOutputTag(tagFor(image), suffix))
    const inTheSame = outputRepository === undefined ? inputTag : undefined
    checkOutputTag(outputTag, inTheSame, removalPolicy === RemovalPolicy.DESTROY)
    const repository = request.repository ?? importRepository(this, image)
    const { source, sourceSecret } = request
    const indexed = {
      format: 'v2' as const,
      repository,
      inputTag,
      outputTag,
      outputRepository,
      source,
      sourceSecret,
      refresh,
      published,
      background,
    }
    this.imageDigest = indexResource(this, indexed, options).getAtt('imageDigest').toString()
  }
}

/**
 * What follows the repository in the name of the SOCI-enabled image: `@` and the digest, which is known after the image was indexed or checked; or `:` and the tag of a
 * published image that nothing checks.
 */
export function resultReference(
  scope: Construct,
  request: SharedIndexRequest,
  options: SociContainerImageOptions,
  id?: string,
): string {
  if (isPublished(options) && options.checkPublished === false) {
    const tag = publishedTag(request.image, options)
    checkOutputTag(tag, request.image.reference, false)
    return `:${tag}`
  }
  return `@${SharedIndex.of(scope, request, options, id).imageDigest}`
}

function importRepository(scope: Construct, { repositoryArn, repositoryName }: EcrImageName): ecr.IRepository {
  return Token.isUnresolved(repositoryArn)
    ? ecr.Repository.fromRepositoryAttributes(scope, 'Repository', { repositoryArn, repositoryName })
    : ecr.Repository.fromRepositoryArn(scope, 'Repository', repositoryArn) // knows whose it is
}

/** A digest has a colon, which a tag may not have; that of a token is only there when the stack is deployed. */
function tagFor({ reference, byDigest }: EcrImageName): string {
  return byDigest && Token.isUnresolved(reference) ? `sha256-${Fn.select(1, Fn.split(':', reference))}` : reference
}

/** Tells requests and options apart, whatever the order of their fields. */
function keyOf(stack: Stack, request: SharedIndexRequest, options: SociContainerImageOptions): string {
  const { image, source, sourceSecret } = request
  const { compute, outputRepository, profile, lazy: _, ...plain } = options
  const provider = (compute ?? SociCompute.lambdaFunction())._bind(stack)
  const given = Object.entries(plain)
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  const output = outputRepository && [Stack.of(outputRepository).node.path, outputRepository.repositoryUri]
  return JSON.stringify(
    stack.resolve([image.key, provider.key, given, output, source, sourceSecret?.secretArn, profile?._hash]),
  )
}
