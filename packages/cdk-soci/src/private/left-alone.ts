import { CfnResource, Stack, Token } from 'aws-cdk-lib'
import type * as ecs from 'aws-cdk-lib/aws-ecs'
import type { IConstruct } from 'constructs'
import { attributeNamed, describeImageName, type EcrImageName, parseEcrImageName } from './image-name'
import { platformOf } from './task-definition'

/** An image to be indexed, or why its container stays as it is. */
export type Decision = { readonly image: EcrImageName } | { readonly reason: string }

/** Attributes of our resource and of `deploy-time-build`'s that name an image which has its index. */
const SOCI_ATTRIBUTES = ['outputImageTag', 'imageDigest', 'imageUri']

/** Whether a container of a Fargate task can have its image made lazy without anybody being asked. */
export function decide(definition: ecs.CfnTaskDefinition, imageName: string): Decision {
  if (platformOf(definition).isWindows) return { reason: 'Windows has no lazy loading' }
  const name = describeImageName(definition, imageName)
  if (SOCI_ATTRIBUTES.includes(attributeNamed(definition, imageName) ?? ''))
    return { reason: `${name} is a SOCI image already` }
  const image = parseEcrImageName(definition, imageName)
  if (image === undefined) return { reason: whyNoEcrImage(name) }
  if (SOCI_ATTRIBUTES.includes(attributeNamed(definition, image.reference) ?? ''))
    return { reason: `${name} is a SOCI image already` }
  const { account, region } = Stack.of(definition)
  if (areDifferent(account, image.account))
    return {
      reason: `${name} belongs to account ${image.account}, the stack to ${account}: where the owner lets it write there, SociContainerImage.fromEcrRepository() indexes it; SociContainerImage.fromRegistry() indexes a copy`,
    }
  if (areDifferent(region, image.region))
    return {
      reason: `${name} is in ${image.region}, the stack in ${region}: Fargate loads images lazily only from the task's own region, so replicate the repository there`,
    }
  return { image }
}

/** Whether both are known and not the same. */
export function areDifferent(one: string, other: string): boolean {
  return !Token.isUnresolved(one) && !Token.isUnresolved(other) && one !== other
}

const SOCI_ATTRIBUTE = new RegExp(`"Fn::GetAtt":\\["[^"]*","(${SOCI_ATTRIBUTES.join('|')})"\\]`)

/** Why a resource that runs containers on Fargate without a task definition of the template stays as it is; undefined for other resources, and where its image has an index. */
export function whyNoTaskDefinition(construct: IConstruct): string | undefined {
  if (!CfnResource.isCfnResource(construct)) return undefined
  const resource: CfnResource & {
    readonly platformCapabilities?: unknown
    readonly containerProperties?: unknown
    readonly primaryContainer?: unknown
  } = construct
  const stack = Stack.of(resource)
  const hasIndex = (part: unknown) => SOCI_ATTRIBUTE.test(JSON.stringify(stack.resolve(part)) ?? '')
  if (resource.cfnResourceType === 'AWS::ECS::ExpressGatewayService')
    return hasIndex(resource.primaryContainer)
      ? undefined
      : 'an ECS Express service has no task definition in the template; give its container the imageUri of a SociIndexV2Build'
  if (resource.cfnResourceType !== 'AWS::Batch::JobDefinition' || hasIndex(resource.containerProperties))
    return undefined
  const capabilities: unknown = stack.resolve(resource.platformCapabilities)
  return Array.isArray(capabilities) && capabilities.includes('FARGATE')
    ? 'a job definition of AWS Batch is not a task definition; give its container a SociContainerImage'
    : undefined
}

function whyNoEcrImage(name: string): string {
  // The host ends at the first slash: where that is not written, as with the value of an SSM parameter, no one can tell
  return name.startsWith('${') && !name.includes('/')
    ? `its image is ${name}, which only the deployment knows (a parameter, for instance): SociContainerImage.fromEcrRepository() takes such a tag`
    : `${name} is not in a private ECR repository: SociContainerImage.fromRegistry() indexes a copy of it in one`
}
