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
 * Container images that Fargate loads lazily. Each is an `ecs.ContainerImage`. The index is built while the stack is deployed. The task definition refers to the result, so
 * you need no dependency. An image that several containers of a stack use is indexed once.
 */
export class SociContainerImage {
  /** An image built from a folder with a Dockerfile, like `ContainerImage.fromAsset()`. */
  static fromAsset(directory: string, props: SociAssetImageProps = {}): ecs.ContainerImage {
    const { asset, soci } = splitAssetProps(props)
    checkDockerOutputs(asset.outputs)
    checkDockerPlatform(asset.platform)
    return new SociImage(ecs.ContainerImage.fromAsset(directory, asset), soci)
  }

  /** An image from an archive that `docker save` wrote. */
  static fromTarball(tarballFile: string, options: SociContainerImageOptions = {}): ecs.ContainerImage {
    return new SociImage(ecs.ContainerImage.fromTarball(tarballFile), options)
  }

  /** An existing image asset. */
  static fromDockerImageAsset(
    asset: assets.DockerImageAsset,
    options: SociContainerImageOptions = {},
  ): ecs.ContainerImage {
    checkAssetOutputs(asset)
    return new SociImage(ecs.ContainerImage.fromDockerImageAsset(asset), options, asset.repository)
  }

  /**
   * An image in a private ECR repository of this stack, of another account or region, or imported.
   * @param tagOrDigest tag, or a digest `sha256:…`. If it is a token that resolves to a digest, set `outputImageTag` too
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
   * An image in any registry. It is copied to a private ECR repository while the stack is deployed, because Fargate only loads images lazily from there. If it has an index, that index is kept. A tag
   * is copied when it is first deployed and when an option changes. Set `refresh` to copy it again.
   * @param name such as `nginx:1.27`, `public.ecr.aws/docker/library/python:3.13` or `ghcr.io/owner/image@sha256:…`
   */
  static fromRegistry(name: string, props: SociRegistryImageProps = {}): ecs.ContainerImage {
    return new MirroredImage(name, props)
  }

  private constructor() {}
}
