import { Stack, Token } from 'aws-cdk-lib'
import type * as ecr_assets from 'aws-cdk-lib/aws-ecr-assets'

/** What an asset keeps to itself, in releases of the CDK that know it. */
interface DockerOutputs {
  readonly dockerOutputs?: readonly string[]
}

/**
 * The tag that the asset has in its repository; its hash alone is none where the stack's synthesizer has a `dockerTagPrefix`.
 * Releases of the CDK before `imageTag` (as 2.38) have it at the end of the image's name.
 * @throws Error where neither is to be had
 */
export function assetTag(asset: ecr_assets.DockerImageAsset): string {
  const { imageTag }: Partial<ecr_assets.DockerImageAsset> = asset
  if (imageTag !== undefined) return imageTag
  const name: unknown = Stack.of(asset).resolve(asset.imageUri)
  const tag = /:([\w.-]+)"}?$/.exec(JSON.stringify(name))?.[1] // of a string, or of Fn::Sub
  if (tag === undefined)
    throw new Error(`${asset.node.path}: aws-cdk-lib does not tell the tag of the asset in this stack; use a newer one`)
  return tag
}

/** @throws Error where the asset has docker compress layers with zstd */
export function checkAssetOutputs(asset: ecr_assets.DockerImageAsset): void {
  checkDockerOutputs((asset as unknown as DockerOutputs).dockerOutputs)
}

/** `outputs` of an image asset, such as `type=image,compression=zstd`. @throws Error for zstd */
export function checkDockerOutputs(outputs: readonly string[] | undefined): void {
  for (const output of outputs ?? [])
    if (!Token.isUnresolved(output) && /(^|,)\s*compression=zstd\b/i.test(output))
      throw new Error(
        `the image asset has the output "${output}": layers of zstd are not loaded lazily; use compression=gzip, or leave it out`,
      )
}

/** @throws Error for Windows */
export function checkDockerPlatform(platform: ecr_assets.Platform | undefined): void {
  if (platform !== undefined && /^windows\b/i.test(platform.platform))
    throw new Error(
      `the image asset has the platform "${platform.platform}": Windows images cannot be loaded lazily; use ContainerImage in place of SociContainerImage`,
    )
}
