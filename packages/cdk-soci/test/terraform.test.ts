// The Terraform module is read by an HCL parser and compared with the construct: Terraform itself, and its AWS provider, are not run.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { SociIndexOnPush } from 'cdk-soci'
import { newStack, ofType, only, resourcesOf } from './templates.js'
import { PACKAGE, run, tool } from './workplace.js'

type Block = Readonly<Record<string, unknown>>
type Named = Readonly<Record<string, Readonly<Record<string, Block>>>>

interface Module {
  readonly variable?: readonly Readonly<Record<string, Block>>[]
  readonly data?: readonly Named[]
  readonly resource?: readonly Named[]
  readonly output?: readonly Readonly<Record<string, Block>>[]
  readonly locals?: readonly Block[]
}

const FILES = ['main.tf', 'variables.tf', 'outputs.tf']

/** The module's files as JSON: strings without their quotes, expressions as `${…}`. Undefined without the parser. */
function readModule(t: TestContext): Module | undefined {
  const parser = tool(t, 'hcl2tojson')
  if (parser === undefined) return undefined
  const unquote = (value: unknown): unknown => {
    if (typeof value === 'string') return value.replace(/^"(.*)"$/s, '$1')
    if (Array.isArray(value)) return value.map(unquote)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [unquote(name), unquote(each)]))
  }
  const files = FILES.map((file) => unquote(JSON.parse(run(parser, [join(PACKAGE, 'terraform', file)])))) as Module[]
  const all = <Kind extends keyof Module>(kind: Kind) => files.flatMap((file) => file[kind] ?? []) as never
  return {
    variable: all('variable'),
    data: all('data'),
    resource: all('resource'),
    output: all('output'),
    locals: all('locals'),
  }
}

const keysOf = (blocks: readonly object[] = []) => blocks.flatMap((block) => Object.keys(block))
const addresses = (blocks: readonly Named[] = []) =>
  blocks.flatMap((block) =>
    Object.entries(block).flatMap(([type, named]) => Object.keys(named).map((name) => `${type}.${name}`)),
  )

test('every variable, local value, data source and resource that is named is declared, and every variable is used', (t) => {
  const module = readModule(t)
  if (module === undefined) return
  const text = JSON.stringify([module.data, module.resource, module.output, module.locals])
  const named = (pattern: RegExp) => new Set([...text.matchAll(pattern)].map(([, name]) => name!))
  assert.deepEqual([...named(/\bvar\.(\w+)/g)].sort(), keysOf(module.variable).sort())
  const locals = keysOf(module.locals).filter((name) => name !== '__is_block__')
  assert.deepEqual([...named(/\blocal\.(\w+)/g)].sort(), locals.sort())
  const data = addresses(module.data)
  for (const address of named(/\bdata\.(\w+\.\w+)/g)) assert.ok(data.includes(address), address)
  const resources = addresses(module.resource)
  for (const address of named(/(?<!data\.)\b(aws_\w+\.\w+)/g)) assert.ok(resources.includes(address), address)
  assert.ok(resources.length > 10)
})

test("the function's permissions, environment and settings are those of the construct", (t) => {
  const module = readModule(t)
  if (module === undefined) return
  const stack = newStack()
  new SociIndexOnPush(stack, 'OnPush', { largeImages: false })
  const resources = resourcesOf(stack)
  const { Properties: wanted } = only(
    Object.values(ofType(resources, 'AWS::Lambda::Function')).filter(
      ({ Properties }) => Properties.Handler === 'index.onPushHandler',
    ),
  )
  const find = (blocks: readonly Named[], type: string, name: string) =>
    blocks.map((block) => block[type]?.[name]).find((block) => block !== undefined) as Record<string, unknown>
  const made = find(module.resource!, 'aws_lambda_function', 'function')
  assert.deepEqual(
    [made.handler, made.runtime, made.architectures],
    [wanted.Handler, wanted.Runtime, wanted.Architectures],
  )
  const environment = (made.environment as readonly { readonly variables: object }[])[0]!.variables
  assert.deepEqual(Object.keys(environment).sort(), Object.keys(wanted.Environment.Variables).sort())
  const statements = find(module.data!, 'aws_iam_policy_document', 'function').statement as readonly {
    readonly actions: readonly string[]
  }[]
  const policies = Object.values(ofType(resources, 'AWS::IAM::Policy')).flatMap(
    ({ Properties }) => Properties.PolicyDocument.Statement as { readonly Action: string | string[] }[],
  )
  const actions = (list: readonly string[]) => [...new Set(list)].sort()
  assert.deepEqual(
    actions(statements.flatMap((statement) => statement.actions)),
    actions(policies.flatMap(({ Action }) => Action)),
  )
})
