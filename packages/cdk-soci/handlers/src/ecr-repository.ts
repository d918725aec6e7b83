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

interface Partition {
  readonly name: string
  /** Domain of its registries. */
  readonly domain: string
}

const STANDARD: Partition = { name: 'aws', domain: 'amazonaws.com' }
/** By the beginning of the region's name; all others are in `aws` (the AWS SDK's partitions.json). */
const PARTITIONS: readonly (readonly [prefix: string, partition: Partition])[] = [
  ['cn-', { name: 'aws-cn', domain: 'amazonaws.com.cn' }],
  ['us-gov-', { name: 'aws-us-gov', domain: 'amazonaws.com' }],
  ['eusc-', { name: 'aws-eusc', domain: 'amazonaws.eu' }],
  ['us-iso-', { name: 'aws-iso', domain: 'c2s.ic.gov' }],
  ['us-isob-', { name: 'aws-iso-b', domain: 'sc2s.sgov.gov' }],
  ['eu-isoe-', { name: 'aws-iso-e', domain: 'cloud.adc-e.uk' }],
  ['us-isof-', { name: 'aws-iso-f', domain: 'csp.hci.ic.gov' }],
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
  const arn = `arn:${partitionOf(region).name}:ecr:${region}:${account}:repository/${name}`
  return { ...ecr, uri, host, name, arn }
}

/** Undefined where one of the three cannot be a repository's. */
export function ecrRepository(account: string, region: string, name: string): EcrRepository | undefined {
  return parseEcrRepository(`${account}.dkr.ecr.${region}.${partitionOf(region).domain}/${name}`)
}

function partitionOf(region: string): Partition {
  return PARTITIONS.find(([prefix]) => region.startsWith(prefix))?.[1] ?? STANDARD
}
