import {
  CfnResource,
  DefaultTokenResolver,
  type IPostProcessor,
  type IResolvable,
  type IResolveContext,
  Reference,
  Stack,
  Token,
  Tokenization,
} from 'aws-cdk-lib'
import type { IConstruct } from 'constructs'

/** A text, or a function that CloudFormation knows the value of. */
export type Piece = string | Record<string, unknown>

/** Texts and functions by turns, and the references to other stacks that the functions hold. */
export interface Taken {
  readonly pieces: Piece[]
  readonly references: readonly Reference[]
}

/** Its value stands for a reference to another stack: number in `references`, path of what is referred to, and its attribute. */
const REFERENCE = 'Reference'

/** What has several ways of being written (`Fn::Join`, `Fn::Sub`, a repository's attribute) has one here. */
export function takeApart(stack: Stack, value: string): Taken {
  const known = new Map<unknown, string>()
  if (!Token.isUnresolved(stack.account)) known.set('AWS::AccountId', stack.account)
  if (!Token.isUnresolved(stack.region)) known.set('AWS::Region', stack.region)
  const resolver = new ReferenceResolver(stack)
  const pieces: Piece[] = []
  for (const piece of flatten(stack, Tokenization.resolve(value, { scope: stack, resolver, preparing: false }))) {
    const text = typeof piece === 'string' ? piece : known.get(piece.Ref)
    const before = pieces[pieces.length - 1]
    if (text === undefined) pieces.push(piece)
    else if (typeof before === 'string') pieces[pieces.length - 1] = before + text
    else pieces.push(text)
  }
  return { pieces, references: resolver.references }
}

/** The value without tokens but for references to other stacks, which the CDK has to see. */
export function resolveWithReferences(scope: IConstruct, value: unknown): unknown {
  const stack = Stack.of(scope)
  const resolver = new ReferenceResolver(stack)
  return restore(Tokenization.resolve(value, { scope: stack, resolver, preparing: false }), resolver.references)
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
export function restore(value: unknown, references: readonly Reference[]): unknown {
  if (Array.isArray(value)) return value.map((item) => restore(item, references))
  if (typeof value !== 'object' || value === null) return value
  if (REFERENCE in value) return references[Number((value[REFERENCE] as string[])[0])]
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, restore(field, references)]))
}

function flatten(stack: Stack, value: unknown): Piece[] {
  if (typeof value !== 'object' || value === null) return [String(value)]
  const piece = value as Record<string, unknown>
  const join = piece['Fn::Join']
  if (Array.isArray(join) && Array.isArray(join[1])) {
    const [delimiter, list] = join as [string, unknown[]]
    return list.flatMap((item, at) => [...(at > 0 ? [delimiter] : []), ...flatten(stack, item)])
  }
  const sub = piece['Fn::Sub']
  if (typeof sub === 'string') return substituted(stack, sub, {})
  if (Array.isArray(sub)) return substituted(stack, String(sub[0]), sub[1] ?? {})
  const [logicalId, attribute] = attributeOf(piece) ?? []
  if (attribute === 'RepositoryUri' && isRepository(stack, logicalId!)) return repositoryUri(logicalId!)
  return [piece]
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-sub.html */
function substituted(stack: Stack, template: string, variables: Record<string, unknown>): Piece[] {
  // Odd places hold what stood in the brackets
  return template.split(/\$\{([^}]*)\}/).flatMap((part, at): Piece[] => {
    if (at % 2 === 0) return [part]
    if (part.startsWith('!')) return [`\${${part.slice(1)}}`]
    if (Object.hasOwn(variables, part)) return flatten(stack, variables[part])
    const dot = part.indexOf('.')
    return flatten(stack, dot < 0 ? { Ref: part } : { 'Fn::GetAtt': [part.slice(0, dot), part.slice(dot + 1)] })
  })
}

/** `Fn::GetAtt` has two ways of being written. */
function attributeOf(piece: Record<string, unknown>): [string, string] | undefined {
  const value = piece['Fn::GetAtt']
  if (Array.isArray(value) && value.length === 2) return value as [string, string]
  if (typeof value !== 'string' || !value.includes('.')) return undefined
  return [value.slice(0, value.indexOf('.')), value.slice(value.indexOf('.') + 1)]
}

/** Others may have an attribute of that name, of another meaning. */
function isRepository(stack: Stack, logicalId: string): boolean {
  return stack.node
    .findAll()
    .some(
      (construct) =>
        CfnResource.isCfnResource(construct) &&
        construct.cfnResourceType === 'AWS::ECR::Repository' &&
        construct.stack === stack &&
        stack.resolve(construct.logicalId) === logicalId,
    )
}

/** As `Repository.repositoryUri` renders a repository of the stack: only so are its parts known. */
function repositoryUri(logicalId: string): Piece[] {
  const ofArn = (part: number) => ({
    'Fn::Select': [part, { 'Fn::Split': [':', { 'Fn::GetAtt': [logicalId, 'Arn'] }] }],
  })
  return [ofArn(4), '.dkr.ecr.', ofArn(3), '.', { Ref: 'AWS::URLSuffix' }, '/', { Ref: logicalId }]
}

/** The function, unambiguously: a reference to another stack without its number, which depends on the name it stands in. */
export function describe(piece: Piece): string {
  return JSON.stringify(piece, (name, value) => (name === REFERENCE ? value.slice(1) : value))
}

export function nameOfFunction(piece: Record<string, unknown>): string {
  if (typeof piece.Ref === 'string') return piece.Ref
  if (REFERENCE in piece) return (piece[REFERENCE] as string[]).slice(1).join('.')
  return attributeOf(piece)?.join('.') ?? Object.keys(piece).join()
}

/** Name of the attribute, where the function is one of a resource in this stack or another. */
export function attributeName(piece: Record<string, unknown>): string | undefined {
  return REFERENCE in piece ? (piece[REFERENCE] as string[])[2] : attributeOf(piece)?.[1]
}
