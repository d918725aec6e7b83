import type * as ecs from 'aws-cdk-lib/aws-ecs'
import type { IConstruct } from 'constructs'
import type { LazyLoadingOptions } from './lazy-loading-options'
import { optionProperties } from './private/checked-options'
import { ExcludedImage } from './private/excluded-image'
import { checkNothingLazy } from './private/handled-containers'
import { addAspect } from './private/lazy-aspect'
import { addInjector } from './private/lazy-injector'
import { setLazy } from './private/lazy-scopes'
import { isInBackground, isPublished } from './private/published-image'

/**
 * Makes Fargate load the images of tasks lazily, without changes to the services, patterns and scheduled tasks that use them. It works in stages, pipelines and nested stacks.
 * Each image is indexed once per stack, and task definitions that use it are deployed afterwards.
 *
 * Images that cannot be loaded lazily are left unchanged. Synthesis lists them with the reason: Windows images, images outside private Amazon ECR or in another account,
 * names that are only known during the deployment, images that have an index already, and images that you excluded.
 *
 * A tag is resolved when it is first deployed. Later pushes under the same tag are used when `refresh` changes.
 *
 * With `aws-cdk-lib` before 2.196, and for task definitions without `ContainerDefinition` (`CfnTaskDefinition`, included templates), an aspect does the same later in synthesis.
 * Aspects for permissions boundaries or tags may not see the roles that it creates. It does not reach into stages and fails if it has to, so enable it for each stage.
 */
export class LazyLoading {
  /** Enables it for the Fargate tasks below the scope. Call it before they are created. The options of the nearest scope apply. */
  static enable(scope: IConstruct, options: LazyLoadingOptions = {}): void {
    optionProperties(options) // a wrong one is an error here, rather than at a container
    isPublished(options)
    isInBackground(options)
    setLazy(scope, options)
    addInjector(scope)
    addAspect(scope)
  }

  /** Leaves the images of tasks below the scope unchanged. Call it before they are created. */
  static disable(scope: IConstruct): void {
    checkNothingLazy(scope)
    setLazy(scope, undefined)
  }

  /** Returns the image so that `LazyLoading` leaves it unchanged, for single containers. */
  static exclude(image: ecs.ContainerImage): ecs.ContainerImage {
    return new ExcludedImage(image)
  }

  private constructor() {}
}
