import type * as ecs from 'aws-cdk-lib/aws-ecs'
import type { SociAssetImageProps, SociContainerImageOptions } from '../container-image-options'

/** All that are ours: the compiler sees to it that none is missing. */
const OURS: Record<keyof SociContainerImageOptions, true> = {
  compute: true,
  spanSize: true,
  minLayerSize: true,
  platforms: true,
  prefetchFiles: true,
  profile: true,
  buildTool: true,
  xattr: true,
  requireIndex: true,
  removalPolicy: true,
  outputRepository: true,
  outputImageTag: true,
  refresh: true,
  lazy: true,
  mode: true,
  checkPublished: true,
}

/** What decides how the image is built, and what decides how it is indexed. */
export function splitAssetProps(props: SociAssetImageProps): {
  readonly asset: ecs.AssetImageProps
  readonly soci: SociContainerImageOptions
} {
  const those = (ours: boolean) => Object.fromEntries(Object.entries(props).filter(([name]) => name in OURS === ours))
  return { asset: those(false), soci: those(true) }
}
