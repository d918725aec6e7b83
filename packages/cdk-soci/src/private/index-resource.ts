import { createHash } from 'node:crypto'
import { CfnResource, Stack } from 'aws-cdk-lib'
import type * as ecr from 'aws-cdk-lib/aws-ecr'
import type * as iam from 'aws-cdk-lib/aws-iam'
import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager'
import type { Construct } from 'constructs'
import { SociCompute } from '../compute'
import type { SociIndexOptions } from '../index-options'
import { optionProperties, optionsSuffix } from './checked-options'
import { allowImageAccess, allowImages, askOwner } from './image-access'
import { warn } from './notes'
import { claimOutputTag, keyOfImage } from './output-tags'
import type { Provider } from './provider'
import type { SociIndexProperties } from './resource-properties'
import { separatePolicy } from './separate-policy'

/** An image that is to be indexed. */
export interface IndexRequest {
  readonly format: 'v1' | 'v2'
  readonly repository: ecr.IRepository
  /** Tag or digest. */
  readonly inputTag: string
  /** v2: where the image with its index goes. @default repository */
  readonly outputRepository?: ecr.IRepository | undefined
  /** v2: needed. */
  readonly outputTag?: string
  /** v1: a tag for the index. */
  readonly indexTag?: string | undefined
  /** Name of an image in another registry, which is copied to `repository` first. */
  readonly source?: string | undefined
  /** Any text: a change of it has the image read again. */
  readonly refresh?: string | undefined
  /** Login for that registry. */
  readonly sourceSecret?: secretsmanager.ISecret | undefined
  /** v2: the image under `outputTag` was published, and is only checked. @default false */
  readonly published?: boolean
  /** v2: CloudFormation does not wait for the image. @default false */
  readonly background?: boolean
}

/** The custom resource that has an image indexed: its attributes are those of `IndexAttributes`. @throws Error for options out of bounds, and for a tag that another construct writes */
export function indexResource(scope: Construct, request: IndexRequest, options: SociIndexOptions): CfnResource {
  const fromOptions = optionProperties(options)
  const provider = (options.compute ?? SociCompute.lambdaFunction())._bind(scope)
  const {
    format,
    repository,
    inputTag,
    outputRepository = repository,
    outputTag,
    indexTag,
    source,
    sourceSecret,
    refresh,
    published = false,
    background = false,
  } = request
  if (background && !provider.worksInBackground)
    throw new Error(
      'mode is SociMode.BACKGROUND, which only SociCompute.lambdaFunction() has: leave compute out, or the mode',
    )
  const tag = format === 'v2' ? outputTag : indexTag
  if (tag !== undefined && !published) {
    const input = keyOfImage(
      scope,
      `${repository.repositoryUri}${inputTag.startsWith('sha256:') ? '@' : ':'}${inputTag}`,
    )
    const made = `${input}${optionsSuffix(options, resolverOf(scope))}`
    const content = format === 'v2' ? made : `the v1 index of ${made}`
    claimOutputTag(scope, { repository: outputRepository, tag, content })
  }
  const removes = fromOptions.Removal === 'destroy'
  if (outputRepository !== repository) {
    const access = source === undefined ? 'read' : 'write'
    allowImageAccess(provider.grantee, repository, access)
    askOwner(scope, repository, access)
  }
  const writes = published ? 'read' : 'write'
  allowImageAccess(provider.grantee, outputRepository, writes)
  askOwner(scope, outputRepository, removes ? 'remove' : writes)
  const removal = removes ? removalPolicy(scope, provider, outputRepository) : undefined
  sourceSecret?.grantRead(provider.grantee)

  const properties: SociIndexProperties = {
    Format: format,
    Repository: repository.repositoryUri,
    InputTag: inputTag,
    ...(outputRepository !== repository && { OutputRepository: outputRepository.repositoryUri }),
    ...(outputTag !== undefined && { OutputTag: outputTag }),
    ...(indexTag !== undefined && { IndexTag: indexTag }),
    ...(source !== undefined && { Source: source }),
    ...(refresh !== undefined && { Refresh: refresh }),
    ...(sourceSecret !== undefined && { SourceSecretArn: sourceSecret.secretArn }),
    ...(published && { Published: 'true' as const }),
    ...(background && { Background: 'true' as const }),
    ...(options.profile !== undefined && { Profile: options.profile._bind(scope, provider.grantee) }),
    ...fromOptions,
  }
  const resource = new CfnResource(scope, `Index${provider.key}`, {
    type: 'Custom::SociIndex',
    properties: {
      ServiceToken: provider.serviceToken,
      ServiceTimeout: provider.serviceTimeout.toSeconds(),
      ...properties,
    },
  })
  resource.node.addDependency(provider)
  if (removal !== undefined) resource.node.addDependency(removal)
  return resource
}

/**
 * A policy of the index's own: an update that takes the index away deletes both, the policy last, and one that moves the output to another repository
 * or to another provider makes another policy.
 */
function removalPolicy(scope: Construct, provider: Provider, repository: ecr.IRepository): iam.Policy {
  const place = JSON.stringify(Stack.of(scope).resolve(repository.repositoryArn))
  const id = `Removal${provider.key}${createHash('sha256').update(place).digest('hex').slice(0, 8).toUpperCase()}`
  const { policy, grantee } = separatePolicy(scope, id, provider.role)
  allowImages(grantee, repository, 'remove')
  countRemoval(provider)
  return policy
}

/** Policies of some 420 to 500 characters that fit into the 10,240 of a role ("IAM and AWS STS quotas"), beside what the provider itself may do. */
const MOST_REMOVALS = 15
const removals = new WeakMap<Provider, number>()

function countRemoval(provider: Provider): void {
  const count = (removals.get(provider) ?? 0) + 1
  removals.set(provider, count)
  if (count === MOST_REMOVALS + 1)
    warn(
      provider,
      'cdk-soci:removalPolicies',
      `more than ${MOST_REMOVALS} indexes of this stack have RemovalPolicy.DESTROY, each with an inline policy, and IAM allows 10,240 characters of inline policies for a role: use RemovalPolicy.RETAIN with lifecycle rules, or several stacks`,
    )
}

/** Resolves tokens as the scope's stack would. */
export function resolverOf(scope: Construct): (value: unknown) => unknown {
  const stack = Stack.of(scope)
  return (value) => stack.resolve(value)
}
