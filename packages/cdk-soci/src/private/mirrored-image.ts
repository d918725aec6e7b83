import { createHash } from 'node:crypto'
import { Aws, CfnDeletionPolicy, type CfnResource, Fn, RemovalPolicy, Stack, Token } from 'aws-cdk-lib'
import * as ecr from 'aws-cdk-lib/aws-ecr'
import * as ecs from 'aws-cdk-lib/aws-ecs'
import * as iam from 'aws-cdk-lib/aws-iam'
import type { Construct, IConstruct } from 'constructs'
import { SociCompute } from '../compute'
import type { SociRegistryImageProps } from '../container-image-options'
import { SociMode } from '../soci-mode'
import { READ } from './image-access'
import { parseEcrImageName } from './image-name'
import { checkInputTag } from './image-tag'
import { whyNotLazy } from './lazy-switch'
import { indexedImageName, takeOver } from './soci-image'
import { formatSourceName, parseSourceName, type SourceName } from './source-name'

const PRIVATE_ECR = /^(\d{12})\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]+)\./

/** What the copies in a stack are of, each under the resolved name of its place. */
const copied = new WeakMap<Stack, Map<string, string>>()

/** An image of another registry, copied to a private repository of ECR and indexed there. */
export class MirroredImage extends ecs.ContainerImage {
  readonly #source: SourceName
  readonly #props: SociRegistryImageProps

  /** @throws Error for what is no name of an image, or no tag */
  constructor(name: string, props: SociRegistryImageProps) {
    super()
    this.#source = parseSourceName(name)
    this.#props = props
    if (props.mode === SociMode.PUBLISH)
      throw new Error(
        'mode is SociMode.PUBLISH, but fromRegistry() copies the image while the stack is deployed: leave the mode out',
      )
    if (props.mode === SociMode.BACKGROUND)
      throw new Error(
        'mode is SociMode.BACKGROUND, but fromRegistry() copies the image while the stack is deployed: leave the mode out',
      )
    if (props.imageTag !== undefined) checkInputTag('imageTag', props.imageTag)
    if (props.imageTag?.startsWith('sha256:'))
      throw new Error(
        `imageTag is "${props.imageTag}": the copy needs a tag, not a digest; leave it out for a tag that holds it`,
      )
  }

  override bind(scope: Construct, container: ecs.ContainerDefinition): ecs.ContainerImageConfig {
    const source = formatSourceName(this.#source)
    const off = PRIVATE_ECR.test(this.#source.registry) ? undefined : whyNotLazy(scope, this.#props.lazy)
    takeOver(scope, container, off)
    if (off !== undefined) {
      const { credentials } = this.#props
      return ecs.ContainerImage.fromRegistry(source, credentials && { credentials }).bind(scope, container)
    }
    const { repository: given, imageTag = tagOf(this.#source), credentials, ...options } = this.#props
    const repository = given ?? ownRepository(scope, this.#source, options.removalPolicy)
    const place = repository.repositoryUriForTag(imageTag)
    const image = parseEcrImageName(scope, place)
    if (image === undefined)
      throw new Error(`${repository.node.path} is not a private ECR repository: its image would be ${place}`)
    checkPlace(scope, image.key, source)
    if (credentials === undefined) allowSource(scope, this.#source, options.compute)
    repository.grantPull(container.taskDefinition.obtainExecutionRole())
    const request = { image, repository, source, sourceSecret: credentials }
    return { imageName: indexedImageName(scope, container, request, options) }
  }
}

function tagOf({ tag, digest }: SourceName): string {
  if (tag !== undefined) return tag
  if (digest === undefined) return 'latest'
  return Token.isUnresolved(digest) ? `sha256-${Fn.select(1, Fn.split(':', digest))}` : digest.replace(':', '-')
}

/** The stack's repository for the copies of all tags of the image. It goes with the stack if none of them is to stay. */
function ownRepository(scope: IConstruct, source: SourceName, removalPolicy = RemovalPolicy.RETAIN): ecr.Repository {
  const stack = Stack.of(scope)
  const described = JSON.stringify(stack.resolve([source.registry, source.path]))
  const id = `SociMirror${createHash('sha256').update(described).digest('hex').slice(0, 8).toUpperCase()}`
  const found = stack.node.tryFindChild(id) as ecr.Repository | undefined
  const repository = found ?? new ecr.Repository(stack, id, { removalPolicy })
  const resource = repository.node.defaultChild as CfnResource
  const goes =
    removalPolicy === RemovalPolicy.DESTROY &&
    (found === undefined || resource.cfnOptions.deletionPolicy === CfnDeletionPolicy.DELETE)
  repository.applyRemovalPolicy(goes ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN)
  // CloudFormation refuses to delete a repository with images; the CDK has called the property by three names
  resource.addPropertyOverride('EmptyOnDelete', goes ? true : undefined)
  return repository
}

/** @throws Error where two images would be copied to one place */
function checkPlace(scope: IConstruct, key: string, name: string): void {
  const stack = Stack.of(scope)
  const places = copied.get(stack) ?? new Map<string, string>()
  copied.set(stack, places)
  const before = places.get(key) ?? name
  if (before !== name)
    throw new Error(
      `${before} and ${name} would both be copied to ${key}: give each an imageTag, or a repository, of its own`,
    )
  places.set(key, name)
}

/** Private repositories of ECR are read by the role that indexes, where no login is given. */
function allowSource(scope: Construct, { registry, path }: SourceName, compute: SociCompute | undefined): void {
  const [, account, region] = PRIVATE_ECR.exec(registry) ?? []
  if (account === undefined || region === undefined) return
  iam.Grant.addToPrincipal({
    grantee: (compute ?? SociCompute.lambdaFunction())._bind(scope).grantee,
    actions: READ,
    resourceArns: [`arn:${Aws.PARTITION}:ecr:${region}:${account}:repository/${path}`],
  })
}
