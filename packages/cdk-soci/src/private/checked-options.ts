import { createHash } from 'node:crypto'
import { RemovalPolicy, Token } from 'aws-cdk-lib'
import type { SociImageOptions, SociIndexOptions } from '../index-options'
import type { SociIndexProperties } from './resource-properties'

/** Those that decide the bytes of an index. The defaults are the library's: a test compares them. */
export const DEFAULTS = { spanSize: 4 << 20, minLayerSize: 10 << 20, buildTool: 'sociable v1' } as const

const ARCHITECTURES = ['386', 'amd64', 'arm', 'arm64', 'ppc64le', 'riscv64', 's390x']
const BUILD_TOOL_LIMIT = 256

type OptionProperties = Pick<
  SociIndexProperties,
  'SpanSize' | 'MinLayerSize' | 'Platforms' | 'PrefetchFiles' | 'BuildTool' | 'Xattr' | 'RequireIndex' | 'Removal'
>

/** Properties for the options that differ from their defaults. @throws Error with the value and the fix */
export function optionProperties(options: SociIndexOptions): OptionProperties {
  checkOptions(options)
  const { removalPolicy, requireIndex } = options
  return {
    ...bytesDeciding(options),
    ...(requireIndex && { RequireIndex: 'true' }),
    ...(removalPolicy === RemovalPolicy.DESTROY && { Removal: 'destroy' }),
  }
}

/**
 * Ends the tag that images made with these options have by default: CDK's assets repository is immutable, so what is made with other options of the
 * same image needs another tag, and so does another image under the same tag, which `refresh` reads again. Empty for the defaults.
 */
export function outputSuffix(
  options: SociIndexOptions & { readonly refresh?: string | undefined },
  resolve: (value: unknown) => unknown,
): string {
  const { refresh } = options
  return hashOf({ ...contentDeciding(options), ...(refresh && { Refresh: refresh }) }, resolve)
}

/** Tells apart what is made of the same image with other options. Empty for the defaults. */
export function optionsSuffix(options: SociIndexOptions, resolve: (value: unknown) => unknown): string {
  return hashOf(contentDeciding(options), resolve)
}

function contentDeciding(options: SociIndexOptions): object {
  return { ...bytesDeciding(options), ...(options.profile && { Profile: options.profile._hash }) }
}

function hashOf(deciding: object, resolve: (value: unknown) => unknown): string {
  if (Object.keys(deciding).length === 0) return ''
  const hash = createHash('sha256')
    .update(JSON.stringify(resolve(deciding)))
    .digest('hex')
  return `-${hash.slice(0, 8)}`
}

function bytesDeciding(options: SociImageOptions): OptionProperties {
  const { spanSize, minLayerSize, buildTool, platforms = [], prefetchFiles = [], xattr } = options
  const given = <T>(value: T | undefined, byDefault: T) => value !== undefined && value !== byDefault
  return {
    ...(given(spanSize, DEFAULTS.spanSize) && { SpanSize: text(spanSize) }),
    ...(given(minLayerSize, DEFAULTS.minLayerSize) && { MinLayerSize: text(minLayerSize) }),
    ...(platforms.length > 0 && { Platforms: platforms }),
    ...(prefetchFiles.length > 0 && { PrefetchFiles: prefetchFiles }),
    ...(given(buildTool, DEFAULTS.buildTool) && { BuildTool: buildTool }),
    ...(xattr && { Xattr: 'true' }),
  }
}

/** CloudFormation hands all scalars to a custom resource as strings: so they stand in the template, and a change of kind is none. */
function text(value: number | undefined): string {
  return Token.isUnresolved(value) ? Token.asString(value) : String(value)
}

function checkOptions(options: SociIndexOptions): void {
  const { buildTool, platforms, prefetchFiles, removalPolicy } = options
  checkBytes('spanSize', options.spanSize, 1, DEFAULTS.spanSize)
  checkBytes('minLayerSize', options.minLayerSize, 0, DEFAULTS.minLayerSize)
  if (isKnown(platforms)) for (const platform of platforms) if (isKnown(platform)) checkPlatform(platform)
  if (isKnown(prefetchFiles))
    for (const path of prefetchFiles)
      if (isKnown(path) && path.replace(/[\s./]/g, '') === '')
        throw new Error(
          `prefetchFiles has "${path}", which is not a file: write paths in the image, such as /app/server.js`,
        )
  if (isKnown(buildTool) && (buildTool.trim() === '' || buildTool.length > BUILD_TOOL_LIMIT))
    throw new Error(
      `buildTool has ${buildTool.length} characters${buildTool === '' ? '' : ', or only spaces'}: give 1 to ${BUILD_TOOL_LIMIT}, or leave it out for "${DEFAULTS.buildTool}"`,
    )
  if (removalPolicy === RemovalPolicy.SNAPSHOT)
    throw new Error('removalPolicy is SNAPSHOT, which an index has not: use RETAIN or DESTROY')
}

function checkBytes(name: string, value: number | undefined, least: number, byDefault: number): void {
  if (!isKnown(value)) return
  if (!Number.isSafeInteger(value) || value < least)
    throw new Error(
      `${name} is ${value}: it must be a whole number of bytes, at least ${least}; leave it out for ${byDefault}`,
    )
}

function checkPlatform(platform: string): void {
  const [os, architecture = '', ...variants] = platform.split('/')
  if (os === 'windows')
    throw new Error(`platforms has "${platform}": only Linux images are loaded lazily, leave it out`)
  if (os !== 'linux' || variants.length > 1)
    throw new Error(`platforms has "${platform}": write linux/ARCHITECTURE, such as linux/arm64`)
  if (!ARCHITECTURES.includes(architecture))
    throw new Error(`platforms has "${platform}": its architecture must be one of ${ARCHITECTURES.join(', ')}`)
}

function isKnown<T>(value: T | undefined): value is T {
  return value !== undefined && !Token.isUnresolved(value)
}
