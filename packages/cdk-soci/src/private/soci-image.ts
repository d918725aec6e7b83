import { Stack } from 'aws-cdk-lib'
import type * as ecr from 'aws-cdk-lib/aws-ecr'
import * as ecs from 'aws-cdk-lib/aws-ecs'
import type { Construct } from 'constructs'
import type { SociContainerImageOptions } from '../container-image-options'
import { setHandled } from './handled-containers'
import { describeImageName, parseEcrImageName } from './image-name'
import { whyNotLazy } from './lazy-switch'
import { areDifferent } from './left-alone'
import { warn } from './notes'
import { resultReference, type SharedIndexRequest } from './shared-index'
import { definitionOf, platformOf } from './task-definition'

/** An image as the CDK has it, indexed in the stack of the container that uses it. */
export class SociImage extends ecs.ContainerImage {
  readonly #image: ecs.ContainerImage
  readonly #options: SociContainerImageOptions
  readonly #repository: ecr.IRepository | undefined

  /** `repository`: that of the image, where it is at hand. */
  constructor(image: ecs.ContainerImage, options: SociContainerImageOptions, repository?: ecr.IRepository) {
    super()
    this.#image = image
    this.#options = options
    this.#repository = repository
  }

  override bind(scope: Construct, container: ecs.ContainerDefinition): ecs.ContainerImageConfig {
    const off = whyNotLazy(scope, this.#options.lazy)
    takeOver(scope, container, off)
    if (off !== undefined) return this.#image.bind(scope, container)
    const config = this.#image.bind(scope, container)
    const image = parseEcrImageName(scope, config.imageName)
    if (image === undefined)
      throw new Error(
        `the image of ${scope.node.path} is ${describeImageName(scope, config.imageName)}: it must be in a private repository of ECR whose name is known before the deployment; SociContainerImage.fromRegistry() indexes a copy of others`,
      )
    const { region } = Stack.of(scope)
    if (this.#options.outputRepository === undefined && areDifferent(region, image.region))
      warn(
        scope,
        'cdk-soci:otherRegion',
        `the image of ${scope.node.path} is in ${image.region}, the stack in ${region}: Fargate loads images lazily only from the task's own region; give an outputRepository there`,
      )
    const request = { image, repository: this.#repository }
    return { ...config, imageName: indexedImageName(scope, container, request, this.#options) }
  }
}

/**
 * The container's image is made lazy by its user: nothing else is to judge it.
 * @param reason why nothing else makes it lazy
 * @throws Error for Windows
 */
export function takeOver(
  scope: Construct,
  container: ecs.ContainerDefinition,
  reason = 'its image is a SOCI image already',
): void {
  const definition = definitionOf(container)
  if (definition === undefined) return
  if (platformOf(definition).isWindows)
    throw new Error(
      `${scope.node.path} is a container of Windows, whose images cannot be loaded lazily: use ContainerImage in place of SociContainerImage`,
    )
  setHandled(definition, container.containerName, { lazy: false, reason, told: false })
}

/**
 * Name of the image with its index, by its digest if that is known: who names the same has the same bytes, and the task definition changes when they do. The container's
 * task may pull it.
 */
export function indexedImageName(
  scope: Construct,
  container: ecs.ContainerDefinition,
  request: SharedIndexRequest,
  options: SociContainerImageOptions,
): string {
  const reference = resultReference(scope, request, options)
  const { outputRepository } = options
  outputRepository?.grantPull(container.taskDefinition.obtainExecutionRole())
  return `${outputRepository?.repositoryUri ?? request.image.repositoryUri}${reference}`
}
