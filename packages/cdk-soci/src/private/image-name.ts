import {
  Aws,
  DefaultTokenResolver,
  type IPostProcessor,
  type IResolvable,
  type IResolveContext,
  Reference,
  Stack,
  Token,
  Tokenization,
} from 'aws-cdk-lib'
import { RegionInfo } from 'aws-cdk-lib/region-info'
import type { IConstruct } from 'constructs'
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

/** A text, or a function that CloudFormation knows the value of. */
type Piece = string | Record<string, unknown>

/** Texts and functions by turns, and the references to other stacks that the functions hold. */
interface Taken {
  readonly pieces: Piece[]
  readonly references: readonly Reference[]
}

/** Its value stands for a reference to another stack: number in `references`, path of what is referred to, and its attribute. */
const REFERENCE = 'Reference'

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
  return REFERENCE in piece ? (piece[REFERENCE] as string[])[2] : attributeOf(piece)?.[1]
}

/** The value without tokens but for references to other stacks, which the CDK has to see. */
export function resolveWithReferences(scope: IConstruct, value: unknown): unknown {
  const stack = Stack.of(scope)
  const resolver = new ReferenceResolver(stack)
  return restore(Tokenization.resolve(value, { scope: stack, resolver, preparing: false }), resolver.references)
}

/** What has several ways of being written (`Fn::Join`, `Fn::Sub`, a repository's attribute) has one here. */
function takeApart(stack: Stack, value: string): Taken {
  const known = new Map<unknown, string>()
  if (!Token.isUnresolved(stack.account)) known.set('AWS::AccountId', stack.account)
  if (!Token.isUnresolved(stack.region)) known.set('AWS::Region', stack.region)
  const resolver = new ReferenceResolver(stack)
  const pieces: Piece[] = []
  for (const piece of flatten(Tokenization.resolve(value, { scope: stack, resolver, preparing: false }))) {
    const text = typeof piece === 'string' ? piece : known.get(piece.Ref)
    const before = pieces[pieces.length - 1]
    if (text === undefined) pieces.push(piece)
    else if (typeof before === 'string') pieces[pieces.length - 1] = before + text
    else pieces.push(text)
  }
  return { pieces, references: resolver.references }
}

/**
 * Resolves all but references to other stacks: the CDK makes exports and parameters of those when it synthesizes, which it can only
 * while they are tokens.
 */
class ReferenceResolver extends DefaultTokenResolver {
  readonly references: Reference[] = []
  readonly #stack: Stack

  constructor(stack: Stack) {
    super({ join: concatenated })
    this.#stack = stack
  }

  override resolveToken(token: IResolvable, context: IResolveContext, postProcessor: IPostProcessor) {
    if (!Reference.isReference(token) || Stack.of(token.target) === this.#stack)
      return super.resolveToken(token, context, postProcessor)
    this.references.push(token)
    return { [REFERENCE]: [String(this.references.length - 1), token.target.node.path, token.displayName] }
  }
}

/** Texts stay one: what stands in a `Fn::Sub` of an included template is text too. */
function concatenated(left: unknown, right: unknown): unknown {
  if (left === undefined || right === undefined) return left ?? right
  return typeof left === 'string' && typeof right === 'string' ? left + right : { 'Fn::Join': ['', [left, right]] }
}

/** The function with the references to other stacks in it again. */
function restore(value: unknown, references: readonly Reference[]): unknown {
  if (Array.isArray(value)) return value.map((item) => restore(item, references))
  if (typeof value !== 'object' || value === null) return value
  if (REFERENCE in value) return references[Number((value[REFERENCE] as string[])[0])]
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, restore(field, references)]))
}

function flatten(value: unknown): Piece[] {
  if (typeof value !== 'object' || value === null) return [String(value)]
  const piece = value as Record<string, unknown>
  const join = piece['Fn::Join']
  if (Array.isArray(join) && Array.isArray(join[1])) {
    const [delimiter, list] = join as [string, unknown[]]
    return list.flatMap((item, at) => [...(at > 0 ? [delimiter] : []), ...flatten(item)])
  }
  const sub = piece['Fn::Sub']
  if (typeof sub === 'string') return substituted(sub, {})
  if (Array.isArray(sub)) return substituted(sub[0], sub[1])
  const [logicalId, attribute] = attributeOf(piece) ?? []
  if (attribute === 'RepositoryUri') return repositoryUri(logicalId!)
  return [piece]
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-sub.html */
function substituted(template: string, variables: Record<string, unknown>): Piece[] {
  // Odd places hold what stood in the brackets
  return template.split(/\$\{([^}]*)\}/).flatMap((part, at): Piece[] => {
    if (at % 2 === 0) return [part]
    if (part.startsWith('!')) return [`\${${part.slice(1)}}`]
    if (part in variables) return flatten(variables[part])
    const dot = part.indexOf('.')
    return flatten(dot < 0 ? { Ref: part } : { 'Fn::GetAtt': [part.slice(0, dot), part.slice(dot + 1)] })
  })
}

/** `Fn::GetAtt` has two ways of being written. */
function attributeOf(piece: Record<string, unknown>): [string, string] | undefined {
  const value = piece['Fn::GetAtt']
  if (Array.isArray(value) && value.length === 2) return value as [string, string]
  if (typeof value !== 'string' || !value.includes('.')) return undefined
  return [value.slice(0, value.indexOf('.')), value.slice(value.indexOf('.') + 1)]
}

/** As `Repository.repositoryUri` renders a repository of the stack: only so are its parts known. */
function repositoryUri(logicalId: string): Piece[] {
  const ofArn = (part: number) => ({
    'Fn::Select': [part, { 'Fn::Split': [':', { 'Fn::GetAtt': [logicalId, 'Arn'] }] }],
  })
  return [ofArn(4), '.dkr.ecr.', ofArn(3), '.', { Ref: 'AWS::URLSuffix' }, '/', { Ref: logicalId }]
}

/** The function, unambiguously: a reference to another stack without its number, which depends on the name it stands in. */
function describe(piece: Piece): string {
  return JSON.stringify(piece, (name, value) => (name === REFERENCE ? value.slice(1) : value))
}

function nameOfFunction(piece: Record<string, unknown>): string {
  if (typeof piece.Ref === 'string') return piece.Ref
  if (REFERENCE in piece) return (piece[REFERENCE] as string[]).slice(1).join('.')
  return attributeOf(piece)?.join('.') ?? Object.keys(piece).join()
}
