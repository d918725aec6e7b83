import { createHash } from 'node:crypto'
import { isDigest } from '@sociable/oci'
import type { SociIndexProperties } from '../../src/private/resource-properties.js'
import { type EcrRepository, parseEcrRepository } from './ecr-repository.js'
import type { CloudFormationEvent, Properties } from './event.js'

/** What the resource's properties ask for. */
export interface IndexRequest {
  readonly format: 'v1' | 'v2'
  readonly repository: EcrRepository
  /** Tag or digest of the image that is to be indexed. */
  readonly input: string
  /** v2: where the SOCI-enabled image goes; v1: the image itself. */
  readonly output: ImageTag
  /** v1: tag of the index. */
  readonly indexTag: string | undefined
  /** Name of the image that is copied to `repository` first. */
  readonly source: string | undefined
  readonly sourceSecretArn: string | undefined
  /** v2: whether `output` was published beforehand, and is only checked. */
  readonly published: boolean
  /** v2: whether CloudFormation is answered before the work is done. */
  readonly background: boolean
  readonly options: IndexRequestOptions
  readonly removal: 'retain' | 'destroy'
  /** What CloudFormation knows the result by: another one means that the former is deleted. */
  readonly physicalId: string
}

export interface ImageTag {
  readonly repository: EcrRepository
  /** Of v1 it may be a digest. */
  readonly tag: string
}

/** An object in Amazon S3. */
export interface S3Location {
  readonly bucket: string
  readonly key: string
}

/** Those of the library's that a user can choose. Undefined is the library's default. */
export interface IndexRequestOptions {
  readonly spanSize: number | undefined
  readonly minLayerSize: number | undefined
  readonly platforms: readonly string[] | undefined
  readonly prefetchFiles: readonly string[] | undefined
  /** Where the profile is. */
  readonly profile: S3Location | undefined
  readonly buildTool: string | undefined
  readonly optimizations: readonly 'xattr'[] | undefined
  readonly requireIndex: boolean
}

/** A property that is not what it has to be. */
export class PropertyError extends Error {
  override readonly name = 'PropertyError'
}

const TAG = /^\w[\w.-]{0,127}$/ // distribution-spec v1.1.1, "Pulling manifests"; ECR's are the same
/** CloudFormation takes 1,024 bytes, and templates that name ids in messages want them short. */
const PHYSICAL_ID_LIMIT = 512

/** Two requests that ask for the same options make the same of the same image. */
export function sameOptions(a: IndexRequest, b: IndexRequest): boolean {
  return JSON.stringify(a.options) === JSON.stringify(b.options)
}

/** @throws PropertyError with the property, its value and what it must be: a token may have become anything */
export function parseIndexRequest(properties: Properties): IndexRequest {
  const given = (name: keyof SociIndexProperties): unknown => properties[name]
  const text = (name: keyof SociIndexProperties): string | undefined => {
    const value = given(name)
    if (value === undefined || value === '') return undefined
    if (typeof value !== 'string') throw invalid(name, value, 'a string')
    return value
  }
  const matching = <T>(name: keyof SociIndexProperties, what: string, parse: (value: string) => T | undefined) => {
    const value = text(name)
    if (value === undefined) return undefined
    const parsed = parse(value)
    if (parsed === undefined) throw invalid(name, value, what)
    return parsed
  }
  const required = <T>(name: keyof SociIndexProperties, value: T | undefined): T => {
    if (value === undefined) throw new PropertyError(`the property ${name} is missing`)
    return value
  }
  const number = (name: keyof SociIndexProperties) =>
    matching(name, 'a whole number of bytes', (value) => {
      const parsed = Number(value)
      return /^\d{1,16}$/.test(value) && Number.isSafeInteger(parsed) ? parsed : undefined
    })
  const list = (name: keyof SociIndexProperties): readonly string[] | undefined => {
    const value = given(name)
    if (value === undefined) return undefined
    if (!Array.isArray(value) || !value.every((item) => typeof item === 'string'))
      throw invalid(name, value, 'a list of strings')
    return value.length === 0 ? undefined : (value as string[])
  }
  const repositoryOf = (name: 'Repository' | 'OutputRepository') =>
    matching(name, 'a private ECR repository, as 123456789012.dkr.ecr.eu-west-1.amazonaws.com/app', parseEcrRepository)
  const tagOf = (name: keyof SociIndexProperties) =>
    matching(name, 'a tag', (value) => (TAG.test(value) ? value : undefined))
  const flag = (name: keyof SociIndexProperties) => text(name) === 'true'

  const format = required(
    'Format',
    matching('Format', 'v1 or v2', (value) => oneOf(value, 'v1', 'v2')),
  )
  const repository = required('Repository', repositoryOf('Repository'))
  const input = required(
    'InputTag',
    matching('InputTag', 'a tag, or a digest', (value) => (TAG.test(value) || isDigest(value) ? value : undefined)),
  )
  const output =
    format === 'v1'
      ? { repository, tag: input }
      : {
          repository: repositoryOf('OutputRepository') ?? repository,
          tag: required('OutputTag', tagOf('OutputTag')),
        }
  if (format === 'v2' && output.repository.uri === repository.uri && output.tag === input)
    throw new PropertyError(
      `OutputTag is the same as InputTag ("${input}"): the image would be replaced, give the indexed one another tag`,
    )
  const source = text('Source')
  if (source !== undefined && isDigest(input))
    throw invalid('InputTag', input, 'a tag where there is a Source, as the copy needs a name')
  return {
    format,
    repository,
    input,
    output,
    indexTag: tagOf('IndexTag'),
    source,
    sourceSecretArn: text('SourceSecretArn'),
    published: flag('Published'),
    background: flag('Background'),
    options: {
      spanSize: number('SpanSize'),
      minLayerSize: number('MinLayerSize'),
      platforms: list('Platforms'),
      prefetchFiles: list('PrefetchFiles'),
      profile: matching('Profile', 's3://BUCKET/KEY', parseS3Location),
      buildTool: text('BuildTool'),
      optimizations: flag('Xattr') ? ['xattr'] : undefined,
      requireIndex: flag('RequireIndex'),
    },
    removal: matching('Removal', 'retain or destroy', (value) => oneOf(value, 'retain', 'destroy')) ?? 'retain',
    physicalId: boundedId(format === 'v1' ? `${repository.uri}@v1:${input}` : `${output.repository.uri}:${output.tag}`),
  }
}

function parseS3Location(text: string): S3Location | undefined {
  const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(text) ?? []
  return bucket === undefined || key === undefined ? undefined : { bucket, key }
}

/** The image's name: `HOST/NAME:TAG`, or with a digest. */
export function imageName({ repository, tag }: ImageTag): string {
  return `${repository.uri}${isDigest(tag) ? '@' : ':'}${tag}`
}

/** 12 hexadecimal digits for one resource of one stack: the same in all its events. */
export function ownerOf({ StackId, LogicalResourceId }: CloudFormationEvent): string {
  return createHash('sha256').update(`${StackId}\n${LogicalResourceId}`).digest('hex').slice(0, 12)
}

function boundedId(id: string): string {
  if (id.length <= PHYSICAL_ID_LIMIT) return id
  const hash = createHash('sha256').update(id).digest('hex').slice(0, 12)
  return `${id.slice(0, PHYSICAL_ID_LIMIT - hash.length - 1)}-${hash}`
}

function oneOf<T extends string>(value: string, ...allowed: readonly T[]): T | undefined {
  return allowed.find((one) => one === value)
}

function invalid(name: string, value: unknown, what: string): PropertyError {
  return new PropertyError(`the property ${name} is ${JSON.stringify(value)?.slice(0, 300)}: it must be ${what}`)
}
