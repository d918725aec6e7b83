import * as ecs from 'aws-cdk-lib/aws-ecs'
import { setHandled } from './handled-containers'
import { definitionOf } from './task-definition'

/** An image that lazy loading is not to touch. */
export class ExcludedImage extends ecs.ContainerImage {
  readonly #image: ecs.ContainerImage

  constructor(image: ecs.ContainerImage) {
    super()
    this.#image = image
  }

  override bind(...[scope, container]: Parameters<ecs.ContainerImage['bind']>): ecs.ContainerImageConfig {
    const definition = definitionOf(container)
    const reason = 'it was excluded'
    if (definition !== undefined) setHandled(definition, container.containerName, { lazy: false, reason, told: false })
    return this.#image.bind(scope, container)
  }
}
