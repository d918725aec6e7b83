// What the tests of the constructs have in common. They run with the newest aws-cdk-lib and with the oldest that is supported.
import './temporary.js'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { App, type Environment, Stack } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import type { Construct } from 'constructs'

export interface Resource {
  readonly Type: string
  // biome-ignore lint/suspicious/noExplicitAny: a template's properties are what the test says they are
  readonly Properties: any
  readonly DependsOn?: readonly string[]
  readonly DeletionPolicy?: string
}

export interface Statement {
  readonly Action: string | string[]
  readonly Resource: unknown
  readonly Principal?: unknown
  readonly Condition?: unknown
}

/** A folder with a Dockerfile. Its hash is always the same. */
export const IMAGE = mkdtempSync(join(tmpdir(), 'cdk-soci-image-'))
writeFileSync(join(IMAGE, 'Dockerfile'), 'FROM scratch\n')
after(() => rmSync(IMAGE, { recursive: true }))

export function newStack(env?: Environment): Stack {
  return new Stack(new App(), 'Stack', env && { env })
}

export function templateOf(stack: Stack): Record<string, Resource> {
  return Template.fromStack(stack).toJSON().Resources
}

/** Resources of one type, by logical id. */
export function ofType(stack: Stack, type: string): [string, Resource][] {
  return Object.entries(templateOf(stack)).filter(([, resource]) => resource.Type === type)
}

/** The stack's only resource of a type. */
export function only(stack: Stack, type: string): Resource {
  return onlyEntry(stack, type)[1]
}

/** Its logical id. */
export function idOf(stack: Stack, type: string): string {
  return onlyEntry(stack, type)[0]
}

/** The function of a stack's only compute that indexes, or has it done; not the one that answers if it is killed. */
export function indexerOf(stack: Stack): Resource {
  return templateOf(stack)[idOfIndexer(stack)]!
}

export function idOfIndexer(stack: Stack): string {
  const found = ofType(stack, 'AWS::Lambda::Function').filter(([id]) => !id.includes('Answerer'))
  if (found.length !== 1) throw new Error(`${found.length} functions`)
  return found[0]![0]
}

function onlyEntry(stack: Stack, type: string): [string, Resource] {
  const found = ofType(stack, type)
  if (found.length !== 1) throw new Error(`${found.length} of ${type}`)
  return found[0]!
}

export function indexesOf(stack: Stack): Resource[] {
  return ofType(stack, 'Custom::SociIndex').map(([, resource]) => resource)
}

/** All statements of policies in the stack. */
export function statementsOf(stack: Stack): Statement[] {
  return ofType(stack, 'AWS::IAM::Policy').flatMap(([, { Properties }]) => Properties.PolicyDocument.Statement)
}

export function actionsOf(statements: readonly Statement[]): string[] {
  return [...new Set(statements.flatMap(({ Action }) => Action))].sort()
}

/** What `cdk synth` prints for a construct and all below it. */
export function notesOf(construct: Construct): string[] {
  return construct.node
    .findAll()
    .flatMap(({ node }) => node.metadata)
    .filter(({ type }) => type === 'aws:cdk:info')
    .map(({ data }) => String(data))
}
