import { CfnResource, Stack } from 'aws-cdk-lib'
import type * as ecs from 'aws-cdk-lib/aws-ecs'
import { Construct, type IConstruct } from 'constructs'

/** What decides whether the containers of a task definition can load their images lazily. */
export interface TaskPlatform {
  readonly isFargate: boolean
  readonly isWindows: boolean
}

/** A task definition as the template has it, be it made by hand, by a construct or by an included template. */
export function isTaskDefinition(construct: IConstruct): construct is ecs.CfnTaskDefinition {
  return (
    CfnResource.isCfnResource(construct) &&
    construct.cfnResourceType === 'AWS::ECS::TaskDefinition' &&
    'containerDefinitions' in construct
  )
}

/** `TaskDefinition.isFargateCompatible` would be true for Windows too, and the resource is all that some have. */
export function platformOf(definition: ecs.CfnTaskDefinition): TaskPlatform {
  const stack = Stack.of(definition)
  const compatibilities: unknown = stack.resolve(definition.requiresCompatibilities)
  const platform: { readonly operatingSystemFamily?: unknown } | undefined = stack.resolve(definition.runtimePlatform)
  return {
    isFargate: Array.isArray(compatibilities) && compatibilities.includes('FARGATE'),
    isWindows: String(platform?.operatingSystemFamily ?? '').startsWith('WINDOWS'),
  }
}

/** The resource of a container's task definition. Undefined where the container is none of ECS: jobs of AWS Batch take the same images. */
export function definitionOf(container: ecs.ContainerDefinition): ecs.CfnTaskDefinition | undefined {
  const definition: unknown = container.taskDefinition
  return Construct.isConstruct(definition) ? definition.node.children.find(isTaskDefinition) : undefined
}
