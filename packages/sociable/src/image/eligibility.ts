import { type Platform, parseEcrHost } from '@sociable/oci'
import { formatBinarySize, formatSize } from '../size.js'
import { formatPlatform, normalizePlatform } from './platform.js'

/** What an image tells of one platform, as far as Fargate cares. */
export interface EligibilityFacts {
  /** The image's name. */
  readonly image: string
  readonly platform: Platform
  readonly version: 'v1' | 'v2' | undefined
  /** Links that do not hold, in words. */
  readonly problems: readonly string[]
  readonly layers: readonly { readonly size: number; readonly lazy: boolean; readonly reason?: string | undefined }[]
}

export interface Eligibility {
  /** Whether Fargate can load the image lazily; accounts and regions differ, so it may still not do so. */
  readonly eligible: boolean
  /** Whether its name is that of a private repository of Amazon ECR: Fargate loads no other image lazily. */
  readonly inEcr: boolean
  /** Why not; empty where it is. */
  readonly reasons: readonly string[]
  /** What holds besides, such as sizes below what AWS recommends. */
  readonly notes: readonly string[]
}

/** Compressed bytes from which AWS recommends lazy loading (Amazon ECS developer guide, "Lazy loading container images using SOCI"). */
const RECOMMENDED_SIZE = 250 * 1024 * 1024

/** Linux on x86_64 or arm64, with a v2 index that covers at least one layer: the rules of Fargate's Linux platform version 1.4.0. */
export function fargateEligibility({ image, platform, version, problems, layers }: EligibilityFacts): Eligibility {
  const reasons: string[] = []
  const inEcr = parseEcrHost(image.split('/', 1)[0]!) !== undefined
  const notes = inEcr ? [] : ['the image must be in a private repository of Amazon ECR']
  const { os, architecture } = normalizePlatform(platform)
  if (os !== 'linux' || (architecture !== 'amd64' && architecture !== 'arm64'))
    reasons.push(`${formatPlatform(platform)} is not loaded lazily, only linux/amd64 and linux/arm64 are`)
  if (version === undefined) reasons.push('it has no SOCI index')
  else if (version === 'v1')
    reasons.push('its SOCI index is v1, which new accounts cannot use: `sociable convert` makes a v2 one')
  else if (!layers.some(({ lazy }) => lazy)) reasons.push('its SOCI index covers none of its layers')
  reasons.push(...problems)
  const size = layers.reduce((sum, layer) => sum + layer.size, 0)
  if (size < RECOMMENDED_SIZE)
    notes.push(
      `its layers are ${formatSize(size)}; lazy loading is recommended from ${formatBinarySize(RECOMMENDED_SIZE)}`,
    )
  const eager = layers.filter(({ lazy }) => !lazy).reduce((sum, layer) => sum + layer.size, 0)
  if (version !== undefined && eager > size / 2)
    notes.push(
      `${formatSize(eager)} of ${formatSize(size)} are in layers without a zTOC, which are pulled whole before the start`,
    )
  return { eligible: reasons.length === 0, inEcr, reasons, notes }
}
