import { RemovalPolicy } from 'aws-cdk-lib'
import type { SociContainerImageOptions } from '../container-image-options'
import { SociMode } from '../soci-mode'
import { optionsSuffix } from './checked-options'
import type { EcrImageName } from './image-name'

/** Whether the image is made by whoever publishes it. @throws Error for options that have no effect then, or only then */
export function isPublished(options: SociContainerImageOptions): boolean {
  const { mode, checkPublished, outputRepository, removalPolicy, refresh } = options
  if (mode !== SociMode.PUBLISH) {
    if (checkPublished !== undefined)
      throw new Error('checkPublished is given without mode: SociMode.PUBLISH: leave it out, or set the mode')
    return false
  }
  const without = 'with SociMode.PUBLISH'
  if (optionsSuffix(options, (value) => value) !== '')
    throw new Error(
      `spanSize, minLayerSize, platforms, prefetchFiles, profile, buildTool and xattr have no effect ${without}: give them to the command that publishes the image, such as \`sociable publish --span-size\``,
    )
  if (outputRepository !== undefined)
    throw new Error(`outputRepository has no effect ${without}: the image is published to the repository of the asset`)
  if (removalPolicy === RemovalPolicy.DESTROY)
    throw new Error(
      `removalPolicy is DESTROY, which has no effect ${without}: the stack does not own what was published`,
    )
  if (checkPublished === false && refresh !== undefined)
    throw new Error('refresh has no effect with checkPublished: false: the task definition names a tag')
  return true
}

/** Whether the deployment does not wait for the image. @throws Error for options that have no effect then */
export function isInBackground({ mode, outputRepository, removalPolicy }: SociContainerImageOptions): boolean {
  if (mode !== SociMode.BACKGROUND) return false
  if (outputRepository !== undefined)
    throw new Error(
      'outputRepository cannot be combined with SociMode.BACKGROUND: until it is indexed, the image is used from its own repository',
    )
  if (removalPolicy === RemovalPolicy.DESTROY)
    throw new Error(
      'removalPolicy is DESTROY, which cannot be combined with SociMode.BACKGROUND: an image may be indexed after its stack was deleted',
    )
  return true
}

/** Tag of what is published beside the image. @throws Error for an image that is named by its digest, unless a tag is given */
export function publishedTag(
  { reference, byDigest }: EcrImageName,
  { outputImageTag }: SociContainerImageOptions,
): string {
  if (outputImageTag !== undefined) return outputImageTag
  if (byDigest)
    throw new Error(
      `the image is named by its digest (${reference}), so the tag of its SOCI-enabled image is unknown: give an outputImageTag, or name the image by a tag`,
    )
  return `${reference}-soci`
}
