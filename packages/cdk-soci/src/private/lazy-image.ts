import * as ecs from 'aws-cdk-lib/aws-ecs'
import { makeLazy } from './make-lazy'
import { definitionOf } from './task-definition'

/** An image that gets its index if its container can have one, in place of the one that the container was given. */
export class LazyImage extends ecs.ContainerImage {
  readonly #image: ecs.ContainerImage

  constructor(image: ecs.ContainerImage) {
    super()
    this.#image = image
  }

  override bind(...[scope, container]: Parameters<ecs.ContainerImage['bind']>): ecs.ContainerImageConfig {
    const config = this.#image.bind(scope, container)
    const { imageName } = config
    const definition = definitionOf(container)
    if (definition === undefined) return config
    const lazy = makeLazy({ construct: container, definition, name: container.containerName, imageName })
    return lazy === undefined ? config : { ...config, imageName: lazy }
  }
}
