import * as ecs from 'aws-cdk-lib/aws-ecs'
import { setHandled } from './handled-containers'
import { resourceOf } from './task-definition'

/** An image that lazy loading is not to touch. */
export class ExcludedImage extends ecs.ContainerImage {
  readonly #image: ecs.ContainerImage

  constructor(image: ecs.ContainerImage) {
    super()
    this.#image = image
  }

  override bind(...[scope, container]: Parameters<ecs.ContainerImage['bind']>): ecs.ContainerImageConfig {
    const reason = 'it was excluded'
    setHandled(resourceOf(container.taskDefinition), container.containerName, { lazy: false, reason, told: false })
    return this.#image.bind(scope, container)
  }
}
