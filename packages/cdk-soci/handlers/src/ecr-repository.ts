import { parseEcrHost } from '@sociable/oci'

/** A private repository of Amazon ECR. */
export interface EcrRepository {
  /** `HOST/NAME`, as images are called by. */
  readonly uri: string
  readonly host: string
  readonly name: string
  readonly account: string
  readonly region: string
  readonly fips: boolean
  readonly dualStack: boolean
  readonly arn: string
}

/** By the beginning of the region's name; all others are in `aws`. */
const PARTITIONS: readonly (readonly [prefix: string, partition: string])[] = [
  ['cn-', 'aws-cn'],
  ['us-gov-', 'aws-us-gov'],
  ['eusc-', 'aws-eusc'],
  ['us-iso-', 'aws-iso'],
  ['us-isob-', 'aws-iso-b'],
  ['eu-isoe-', 'aws-iso-e'],
  ['us-isof-', 'aws-iso-f'],
]
/** Amazon ECR API reference, CreateRepository. */
const NAME = /^(?=.{2,256}$)(?:[a-z0-9]+(?:[._-][a-z0-9]+)*\/)*[a-z0-9]+(?:[._-][a-z0-9]+)*$/

/** Undefined for what is no name of a private ECR repository. */
export function parseEcrRepository(uri: string): EcrRepository | undefined {
  const slash = uri.indexOf('/')
  const host = uri.slice(0, Math.max(0, slash))
  const name = uri.slice(slash + 1)
  const ecr = parseEcrHost(host)
  if (ecr === undefined || !NAME.test(name)) return undefined
  const { account, region } = ecr
  const partition = PARTITIONS.find(([prefix]) => region.startsWith(prefix))?.[1] ?? 'aws'
  return { ...ecr, uri, host, name, arn: `arn:${partition}:ecr:${region}:${account}:repository/${name}` }
}
