// What the constructs make of an app with one index, by the real CDK: what runs in these tests is what would be deployed.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ensureNode } from './nodes.js'

export const FUNCTION_NAME = 'indexer'
const PSEUDO: Readonly<Record<string, string>> = {
  'AWS::Partition': 'aws',
  'AWS::Region': 'eu-west-1',
  'AWS::AccountId': '123456789012',
  'AWS::URLSuffix': 'amazonaws.com',
}
const CONSTRUCTS = fileURLToPath(new URL('../../../../../lib/index.js', import.meta.url))

export interface Resource {
  readonly Type: string
  // biome-ignore lint/suspicious/noExplicitAny: templates are of any shape
  readonly Properties: any
}

export interface Template {
  /** The one resource of that type, its properties with every reference resolved. @throws Error where there is not one */
  resource(type: string): Resource
  resources(type: string): readonly Resource[]
  /** What a role may do, by whom it is assumed by. */
  statements(service: string): readonly Statement[]
  /** Folder of the handlers' asset, as it would be uploaded. */
  readonly asset: string
}

export interface Statement {
  readonly actions: readonly string[]
  readonly resources: readonly string[]
}

/** @param compute an expression, with `SociCompute` and `cdk`; undefined, the test skipped, where there is no Node for the CDK */
export async function synthesize(t: TestContext, compute: string, options = ''): Promise<Template | undefined> {
  const node = await ensureNode(t, '24')
  if (node === undefined) return undefined
  const key = `${compute} ${options}`
  const template = synthesized.get(key) ?? synthesizeWith(node, compute, options)
  synthesized.set(key, template)
  return template
}

/** It takes seconds: once for each app. */
const synthesized = new Map<string, Template>()

/** What the construct of this statement makes, in `stack`; `soci` is the package. Undefined, the test skipped, as of `synthesize`. */
export async function synthesizeConstruct(t: TestContext, statement: string): Promise<Template | undefined> {
  const node = await ensureNode(t, '24')
  if (node === undefined) return undefined
  const template = synthesized.get(statement) ?? synthesizeStack(node, statement)
  synthesized.set(statement, template)
  return template
}

function synthesizeWith(node: string, compute: string, options: string): Template {
  return synthesizeStack(
    node,
    `const { Repository } = require('aws-cdk-lib/aws-ecr')
    const { SociCompute, SociIndexV2Build } = soci
    const repository = Repository.fromRepositoryName(stack, 'Repository', 'app')
    new SociIndexV2Build(stack, 'App', { repository, inputImageTag: 'one', compute: ${compute}, ${options} })`,
  )
}

function synthesizeStack(node: string, statements: string): Template {
  const folder = mkdtempSync(join(tmpdir(), 'synthesis-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const program = `
    const cdk = require('aws-cdk-lib')
    const soci = require(${JSON.stringify(CONSTRUCTS)})
    const app = new cdk.App({ outdir: ${JSON.stringify(folder)} })
    const stack = new cdk.Stack(app, 'One')
    ${statements}
    app.synth()`
  const env = { PATH: process.env.PATH, HOME: process.env.HOME }
  const { status, stderr } = spawnSync(node, ['-e', program], { cwd: join(CONSTRUCTS, '..'), env, encoding: 'utf8' })
  if (status !== 0) throw new Error(`the app could not be synthesized: ${stderr}`)
  const { Resources } = JSON.parse(readFileSync(join(folder, 'One.template.json'), 'utf8')) as {
    readonly Resources: Readonly<Record<string, Resource>>
  }
  const resolved = Object.entries(Resources).map(([id, resource]) => [id, resolve(resource, Resources)] as const)
  const byType = (type: string) => resolved.map(([, resource]) => resource as Resource).filter((r) => r.Type === type)
  const hash = /([0-9a-f]{64})\.zip/.exec(JSON.stringify(byType('AWS::Lambda::Function')[0]!.Properties.Code))![1]!
  return {
    resources: byType,
    resource(type) {
      const found = byType(type)
      if (found.length !== 1) throw new Error(`there are ${found.length} of ${type}, not one`)
      return found[0]!
    },
    statements(service) {
      const roles = resolved.filter(([, role]) =>
        JSON.stringify((role as Resource).Properties?.AssumeRolePolicyDocument ?? '').includes(`"${service}"`),
      )
      return byType('AWS::IAM::Policy')
        .filter(({ Properties }) => roles.some(([id]) => Properties.Roles.includes(id)))
        .flatMap(({ Properties }) => Properties.PolicyDocument.Statement as { Action: unknown; Resource: unknown }[])
        .map(({ Action, Resource }) => ({
          actions: [Action].flat() as string[],
          resources: [Resource].flat() as string[],
        }))
    },
    asset: join(folder, `asset.${hash}`),
  }
}

/** Whether the statements allow the action on the resource. */
export function allows(statements: readonly Statement[], action: string, resource: string): boolean {
  const matches = (pattern: string): boolean =>
    new RegExp(`^${pattern.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`).test(resource)
  return statements.some(({ actions, resources }) => actions.includes(action) && resources.some(matches))
}

/** The value as CloudFormation would give it to the service, functions being called `FUNCTION_NAME` and all else by its logical id. */
function resolve(value: unknown, resources: Readonly<Record<string, Resource>>): unknown {
  if (Array.isArray(value)) return value.map((item) => resolve(item, resources))
  if (typeof value !== 'object' || value === null) return value
  const { Ref, ...rest } = value as Record<string, unknown>
  const nameOf = (id: string): string =>
    PSEUDO[id] ?? (resources[id]?.Type === 'AWS::Lambda::Function' ? FUNCTION_NAME : id)
  if (typeof Ref === 'string') return nameOf(Ref)
  const attribute = rest['Fn::GetAtt'] as [string, string] | undefined
  if (attribute !== undefined) {
    const type = resources[attribute[0]]?.Type
    if (type === 'AWS::S3::Bucket' && attribute[1] === 'Arn') return `arn:aws:s3:::${attribute[0]}`
    const isFunction = type === 'AWS::Lambda::Function'
    return isFunction ? `arn:aws:lambda:eu-west-1:123456789012:function:${FUNCTION_NAME}` : attribute.join('.')
  }
  const join = rest['Fn::Join'] as [string, unknown[]] | undefined
  if (join !== undefined) return (resolve(join[1], resources) as string[]).join(join[0])
  const sub = rest['Fn::Sub']
  if (typeof sub === 'string') return sub.replaceAll(/\$\{([^}]+)\}/g, (_, id: string) => nameOf(id))
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, resolve(field, resources)]))
}
