import type * as ecr from 'aws-cdk-lib/aws-ecr'
import type * as assets from 'aws-cdk-lib/aws-ecr-assets'
import * as ecs from 'aws-cdk-lib/aws-ecs'
import type { SociAssetImageProps, SociContainerImageOptions, SociRegistryImageProps } from './container-image-options'
import { checkAssetOutputs, checkDockerOutputs, checkDockerPlatform } from './private/docker-asset'
import { checkInputTag } from './private/image-tag'
import { MirroredImage } from './private/mirrored-image'
import { SociImage } from './private/soci-image'
import { splitAssetProps } from './private/split-asset-props'

/**
 * Container images that Fargate loads lazily: each is an `ecs.ContainerImage` for any place that takes one. Its index is built while the stack is
 * deployed, and the task definition names what came of it, so that it waits without a dependency of yours. An image that containers of a stack
 * use several times is indexed once.
 */
export class SociContainerImage {
  /** An image built from a folder with a Dockerfile, as `ContainerImage.fromAsset()`. */
  static fromAsset(directory: string, props: SociAssetImageProps = {}): ecs.ContainerImage {
    const { asset, soci } = splitAssetProps(props)
    checkDockerOutputs(asset.outputs)
    checkDockerPlatform(asset.platform)
    return new SociImage(ecs.ContainerImage.fromAsset(directory, asset), soci)
  }

  /** An image from a tarball as `docker save` writes it. */
  static fromTarball(tarballFile: string, options: SociContainerImageOptions = {}): ecs.ContainerImage {
    return new SociImage(ecs.ContainerImage.fromTarball(tarballFile), options)
  }

  /** An image asset that is there already. */
  static fromDockerImageAsset(
    asset: assets.DockerImageAsset,
    options: SociContainerImageOptions = {},
  ): ecs.ContainerImage {
    checkAssetOutputs(asset)
    return new SociImage(ecs.ContainerImage.fromDockerImageAsset(asset), options, asset.repository)
  }

  /**
   * An image of a private ECR repository, be it of this stack, imported, or of another account or region.
   * @param tagOrDigest tag, or a digest `sha256:…`; for a token that becomes a digest, give `outputImageTag` too
   */
  static fromEcrRepository(
    repository: ecr.IRepository,
    tagOrDigest = 'latest',
    options: SociContainerImageOptions = {},
  ): ecs.ContainerImage {
    checkInputTag('tagOrDigest', tagOrDigest)
    return new SociImage(ecs.ContainerImage.fromEcrRepository(repository, tagOrDigest), options, repository)
  }

  /**
   * An image of any registry, copied to a private ECR repository while the stack is deployed, as Fargate loads lazily from nowhere else. An index that
   * it brings along is kept. A tag is copied when it is deployed first, then whenever something here changes: `refresh` is for that.
   * @param name such as `nginx:1.27`, `public.ecr.aws/docker/library/python:3.13` or `ghcr.io/owner/image@sha256:…`
   */
  static fromRegistry(name: string, props: SociRegistryImageProps = {}): ecs.ContainerImage {
    return new MirroredImage(name, props)
  }

  private constructor() {}
}
