import { StoreError } from '@sociable/oci'
import { convert } from './convert.js'
import { inContext } from './error.js'
import type { CallOptions } from './options.js'
import { parallel } from './parallel.js'
import type { ProgressEvent } from './progress.js'
import { type AwsOptions, defaultEnvironment, repositoryAccess } from './publishing/aws-access.js'
import { findCdk, publishAssetsArguments, runCdk } from './publishing/cdk-command.js'
import { readCloudAssembly } from './publishing/cloud-assembly.js'
import { type ImageAsset, imageAssets, resolvePlaceholders, selectStacks } from './publishing/image-assets.js'
import type { ConvertResult } from './result.js'
import { sociTag } from './soci/soci-tag.js'

export interface PublishOptions extends CallOptions {
  /** Names of stacks, with `*` for any text; the stacks that they depend on come with them. @default all */
  readonly stacks?: readonly string[] | undefined
  /** AWS profile. @default that of the environment */
  readonly profile?: string | undefined
  /** Region of stacks without one. @default that of the environment or the profile */
  readonly region?: string | undefined
  /** Have the CDK CLI build and push the images first. @default true */
  readonly build?: boolean | undefined
  /** Only list what would be converted: neither the CDK CLI nor AWS is asked. @default false */
  readonly dryRun?: boolean | undefined
  /** Fail where an image has no layer that can be indexed. @default false */
  readonly requireIndex?: boolean | undefined
  /** Layers smaller than this are not indexed. @default as `convert` */
  readonly minLayerSize?: number | undefined
  /** Images converted at once. @default 2 */
  readonly concurrency?: number | undefined
  /** Called while an image is converted. */
  readonly onProgress?: ((asset: string, event: ProgressEvent) => void) | undefined
  /** Called when an image is done. */
  readonly onImage?: ((image: PublishedImage) => void) | undefined
}

/** An image asset of the assembly. */
export interface PublishedImage {
  /** The asset's name. */
  readonly asset: string
  /** Without the registry in a dry run, where placeholders stand as they are. */
  readonly source: string
  readonly destination: string
  /** Absent in a dry run. */
  readonly result?: ConvertResult
}

/**
 * Publishes the image assets of a cloud assembly with the CDK CLI, then makes a SOCI-enabled image of each in Amazon ECR, tagged with `-soci` appended. Reads
 * and writes ECR with the role that the asset manifest names. Doing it again changes nothing.
 * @param assembly the folder that `cdk synth` writes
 * @throws PublishError, ImageError, StoreError
 */
export async function publish(assembly: string, options: PublishOptions = {}): Promise<PublishedImage[]> {
  const { profile, region, signal, build = true, dryRun = false } = options
  const stacks = selectStacks(await readCloudAssembly(assembly), options.stacks ?? [])
  const assets = await imageAssets(stacks)
  if (dryRun) return assets.map((asset) => described(asset, asset.repository))
  if (assets.length === 0) return []
  if (build) {
    const cdk = findCdk(process.cwd(), process.platform, process.env.PATH ?? '')
    const names = stacks.filter(({ manifests }) => manifests.length > 0).map(({ name }) => name)
    await runCdk(cdk, publishAssetsArguments(assembly, names, { profile, region }), { signal })
  }
  const aws: AwsOptions = { profile, region, signal }
  const environment = await defaultEnvironment(aws)
  const resolved = assets.map((asset) => resolvePlaceholders(asset, environment))
  return await parallel(resolved, options.concurrency ?? 2, signal, async (asset, signal) => {
    try {
      return await publishImage(asset, { ...aws, signal }, options)
    } catch (error) {
      throw inContext(error, `image asset ${asset.name}`)
    }
  })
}

async function publishImage(asset: ImageAsset, aws: AwsOptions, options: PublishOptions): Promise<PublishedImage> {
  const { uri, username, password } = await repositoryAccess(asset, aws)
  const image = described(asset, uri)
  const { requireIndex, minLayerSize } = options
  const onProgress = (event: ProgressEvent) => options.onProgress?.(asset.name, event)
  const settings = { username, password, requireIndex, minLayerSize, onProgress, signal: aws.signal }
  try {
    const published = { ...image, result: await convert(image.source, image.destination, settings) }
    options.onImage?.(published)
    return published
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== 'NOT_FOUND' || options.build !== false) throw error
    throw inContext(error, 'the image was not published, and the build was skipped')
  }
}

function described({ name, tag }: ImageAsset, repository: string): PublishedImage {
  return { asset: name, source: `${repository}:${tag}`, destination: `${repository}:${sociTag(tag)}` }
}
