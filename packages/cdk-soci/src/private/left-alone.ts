import { Stack, Token } from 'aws-cdk-lib'
import type * as ecs from 'aws-cdk-lib/aws-ecs'
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
  const { account } = Stack.of(definition)
  if (!Token.isUnresolved(account) && !Token.isUnresolved(image.account) && account !== image.account)
    return {
      reason: `${name} belongs to account ${image.account}, the stack to ${account}: where the owner lets it write there, SociContainerImage.fromEcrRepository() indexes it; SociContainerImage.fromRegistry() indexes a copy`,
    }
  return { image }
}

function whyNoEcrImage(name: string): string {
  // The host ends at the first slash: where that is not written, as with the value of an SSM parameter, no one can tell
  return name.startsWith('${') && !name.includes('/')
    ? `its image is ${name}, which only the deployment knows (a parameter, for instance): SociContainerImage.fromEcrRepository() takes such a tag`
    : `${name} is not in a private ECR repository: SociContainerImage.fromRegistry() indexes a copy of it in one`
}
