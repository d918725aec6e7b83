import { Aws, Stack, Token } from 'aws-cdk-lib'
import { RegionInfo } from 'aws-cdk-lib/region-info'
import type { IConstruct } from 'constructs'
import { attributeName, describe, nameOfFunction, type Piece, restore, takeApart } from './name-pieces'
import { Placeholders, UNKNOWN } from './placeholders'

/** Where an image is in a private ECR repository. Every string may hold tokens. */
export interface EcrImageName {
  readonly account: string
  readonly region: string
  readonly repositoryName: string
  /** `HOST/NAME` */
  readonly repositoryUri: string
  readonly repositoryArn: string
  /** What follows the name: a tag, or a digest (then `byDigest`). `latest` where the name says nothing. */
  readonly reference: string
  readonly byDigest: boolean
  /** The same for all the ways of writing this name in a stack, and free of tokens. */
  readonly key: string
}

/** `ACCOUNT.dkr.ecr.REGION.SUFFIX`, FIPS and dual-stack hosts: https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html */
const ECR_IMAGE = new RegExp(
  `^(?<host>(?<account>\\d{12}|[${UNKNOWN}])\\.dkr[.-]ecr(?:-fips)?\\.(?<region>[a-z0-9-]+|[${UNKNOWN}])\\.[a-z0-9.${UNKNOWN}-]+)/(?<name>[^:@\\s]+)(?::(?<tag>[^:/@\\s]+))?(?:@(?<digest>[^/@\\s]+))?$`,
)

/** The parts of an image's name, or undefined where it is none of a private ECR repository, or where that can't be told before deployment. */
export function parseEcrImageName(scope: IConstruct, imageName: string): EcrImageName | undefined {
  const stack = Stack.of(scope)
  const { pieces, references } = takeApart(stack, imageName)
  const functions = new Placeholders<Piece>()
  const text = pieces.map((piece) => (typeof piece === 'string' ? piece : functions.add(piece))).join('')
  const { host, account, region, name, tag, digest } = ECR_IMAGE.exec(text)?.groups ?? {}
  if (host === undefined || account === undefined || region === undefined || name === undefined) return undefined
  const tokens = (part: string) => functions.restore(part, (piece) => Token.asString(restore(piece, references)))
  const key = (part: string) => functions.restore(part, describe)
  const repositoryName = tokens(name)
  return {
    account: tokens(account),
    region: tokens(region),
    repositoryName,
    repositoryUri: `${tokens(host)}/${repositoryName}`,
    repositoryArn: `arn:${partitionOf(region)}:ecr:${tokens(region)}:${tokens(account)}:repository/${repositoryName}`,
    reference: tokens(digest ?? tag ?? 'latest'),
    byDigest: digest !== undefined,
    key: key(`${host}/${name}${digest === undefined ? `:${tag ?? 'latest'}` : `@${digest}`}`),
  }
}

/** An ARN without tokens tells whose the repository is. */
function partitionOf(region: string): string {
  return RegionInfo.get(region).partition ?? Aws.PARTITION
}

/** What is written in the name, as far as it is known before deployment: functions are `${…}`. For messages. */
export function describeImageName(scope: IConstruct, imageName: string): string {
  const text = (piece: Piece): string => (typeof piece === 'string' ? piece : `\${${nameOfFunction(piece)}}`)
  return takeApart(Stack.of(scope), imageName).pieces.map(text).join('')
}

/** Name of the attribute, where the whole text is an attribute of a resource in this stack or another. */
export function attributeNamed(scope: IConstruct, text: string): string | undefined {
  const { pieces } = takeApart(Stack.of(scope), text)
  const [piece] = pieces
  if (pieces.length !== 1 || typeof piece !== 'object') return undefined
  return attributeName(piece)
}
