import { Stack } from 'aws-cdk-lib'
import type * as ecr from 'aws-cdk-lib/aws-ecr'
import * as ecs from 'aws-cdk-lib/aws-ecs'
import type { Construct } from 'constructs'
import { warn } from './notes'

/** An image of a repository by a digest that only the deployment knows: the CDK takes such a token for a tag. */
export class DigestImage extends ecs.EcrImage {
  override readonly imageName: string
  readonly #index: Construct
  readonly #told = new Set<Stack>()

  /** @param index the digest is an attribute of it */
  constructor(index: Construct, repository: ecr.IRepository, digest: string) {
    super(repository, digest)
    this.imageName = repository.repositoryUriForDigest(digest)
    this.#index = index
  }

  override bind(scope: Construct, container: ecs.ContainerDefinition): ecs.ContainerImageConfig {
    const [from, to] = [Stack.of(this.#index), Stack.of(scope)]
    // Nested stacks get it as a parameter
    if (outermost(from) !== outermost(to) && this.#told.size < this.#told.add(to).size)
      warn(
        scope,
        'cdk-soci:exportedDigest',
        `the image of ${this.#index.node.path} is used in another stack, ${to.node.path}. CloudFormation does not change an export that is in use, so the deployment of ${from.node.path} fails when the image changes. Make the index in the stack of the task: SociContainerImage.fromEcrRepository(repository, tag), or a SociIndexV2Build there`,
      )
    return super.bind(scope, container)
  }
}

function outermost(stack: Stack): Stack {
  return stack.nestedStackParent === undefined ? stack : outermost(stack.nestedStackParent)
}
