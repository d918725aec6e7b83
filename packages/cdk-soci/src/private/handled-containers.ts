import type * as ecs from 'aws-cdk-lib/aws-ecs'
import type { IConstruct } from 'constructs'
import { definitionOf } from './task-definition'

/** What became of a container when it was made: an aspect, which comes later, is not to judge it again. */
export type Handled =
  | { readonly lazy: true }
  | { readonly lazy: false; readonly reason: string; readonly told: boolean }

const handled = new WeakMap<ecs.CfnTaskDefinition, Map<string, Handled>>()

export function setHandled(definition: ecs.CfnTaskDefinition, container: string, as: Handled): void {
  handled.set(definition, (handled.get(definition) ?? new Map<string, Handled>()).set(container, as))
}

export function getHandled(definition: ecs.CfnTaskDefinition, container: string): Handled | undefined {
  return handled.get(definition)?.get(container)
}

/** @throws Error where a container below the scope, or the scope, has its index already */
export function checkNothingLazy(scope: IConstruct): void {
  for (const construct of scope.node.findAll().filter(isContainer)) {
    const definition = definitionOf(construct)
    if (definition !== undefined && getHandled(definition, construct.containerName)?.lazy)
      throw new Error(
        `LazyLoading.disable(${scope.node.path}) comes too late: ${construct.node.path} is lazy already; call it before that is made, or give that container LazyLoading.exclude(image)`,
      )
  }
}

export function isContainer(construct: IConstruct): construct is ecs.ContainerDefinition {
  return 'containerName' in construct && 'taskDefinition' in construct
}
