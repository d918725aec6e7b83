import type * as ecs from 'aws-cdk-lib/aws-ecs'
import type { IConstruct } from 'constructs'
import type { LazyLoadingOptions } from './lazy-loading-options'
import { optionProperties } from './private/checked-options'
import { ExcludedImage } from './private/excluded-image'
import { checkNothingLazy } from './private/handled-containers'
import { addAspect } from './private/lazy-aspect'
import { addInjector } from './private/lazy-injector'
import { setLazy } from './private/lazy-scopes'
import { isPublished } from './private/published-image'

/**
 * Makes the images of Fargate tasks lazy without a change of what uses them: services, patterns, scheduled tasks, in stages, pipelines and nested
 * stacks too. Each image is indexed once in a stack, and the task definitions that use it wait for that.
 *
 * What cannot be made lazy is left as it is, and told with the reason when the app is synthesized: Windows, images that are in no private repository
 * of ECR, or in another account's, or whose name only the deployment knows, what is a SOCI image already, and what you excluded.
 *
 * A tag stands for the image that it named when that was deployed first: what is pushed under it later is used when `refresh` changes.
 *
 * With an `aws-cdk-lib` before 2.196, and for task definitions that are made without `ContainerDefinition` (`CfnTaskDefinition`, included templates), an
 * aspect does it while the app is synthesized. It comes late: aspects for permissions boundaries or tags may not see the roles that it makes, and it
 * does not reach into stages, which is an error that says so: enable it for each of them.
 */
export class LazyLoading {
  /** Holds for the Fargate tasks below the scope; call it before they are made. Of scopes within one another, the nearest's options hold. */
  static enable(scope: IConstruct, options: LazyLoadingOptions = {}): void {
    optionProperties(options) // a wrong one is an error here, rather than at a container
    isPublished(options)
    setLazy(scope, options)
    addInjector(scope)
    addAspect(scope)
  }

  /** Tasks below the scope keep their images as they are; call it before they are made. */
  static disable(scope: IConstruct): void {
    checkNothingLazy(scope)
    setLazy(scope, undefined)
  }

  /** The image, to be left as it is: for single containers, be they in a pattern. */
  static exclude(image: ecs.ContainerImage): ecs.ContainerImage {
    return new ExcludedImage(image)
  }

  private constructor() {}
}
