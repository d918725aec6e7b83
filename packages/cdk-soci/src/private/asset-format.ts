import { Token } from 'aws-cdk-lib'
import type * as ecr_assets from 'aws-cdk-lib/aws-ecr-assets'

/** An asset keeps what docker is told of its layers to itself; the CDK before 2.50 does not have it. */
interface DockerOutputs {
  readonly dockerOutputs?: readonly string[]
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
