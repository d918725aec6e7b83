// What the tests of images look at in apps of several stacks, and in templates.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext } from 'node:test'
import * as cdk from 'aws-cdk-lib'
import { Annotations, Match } from 'aws-cdk-lib/assertions'
import { type Resource, templateOf } from './support.js'

/** A folder with a Dockerfile, whose image is not that of `IMAGE`. */
export const OTHER_IMAGE = mkdtempSync(join(tmpdir(), 'cdk-soci-other-'))
writeFileSync(join(OTHER_IMAGE, 'Dockerfile'), 'FROM scratch\nLABEL other=1\n')
after(() => rmSync(OTHER_IMAGE, { recursive: true }))

/** Whether the CDK lets `LazyLoading` see containers when they are made, rather than in the end: 2.196 and newer. */
export const INJECTS = 'PropertyInjectors' in cdk

/** The path of a file of the test's own. */
export function temporaryFile(t: TestContext, name: string, content: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'cdk-soci-'))
  t.after(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, name), content)
  return join(folder, name)
}

export type Resources = Readonly<Record<string, Resource>>

/** What apps are synthesized to. */
const OUTPUT = mkdtempSync(join(tmpdir(), 'cdk-soci-output-'))
after(() => rmSync(OUTPUT, { recursive: true }))

export function newApp(context: Readonly<Record<string, unknown>> = {}): cdk.App {
  return new cdk.App({ context, outdir: mkdtempSync(join(OUTPUT, 'app-')) })
}

export function newStack(app: cdk.App = newApp(), id = 'Stack', props: cdk.StackProps = {}): cdk.Stack {
  return new cdk.Stack(app, id, props)
}

/** The app is synthesized. */
export const resourcesOf: (stack: cdk.Stack) => Resources = templateOf

export function ofType(resources: Resources, type: string): Resources {
  return Object.fromEntries(Object.entries(resources).filter(([, { Type }]) => Type === type))
}

/** Properties of the indexes, by logical id. */
export function indexesOf(resources: Resources): Readonly<Record<string, Resource['Properties']>> {
  const indexes = Object.entries(ofType(resources, 'Custom::SociIndex'))
  return Object.fromEntries(indexes.map(([id, { Properties }]) => [id, Properties]))
}

/** Images of the containers in all task definitions, by the container's name, as text. */
export function imagesOf(resources: Resources): Readonly<Record<string, string>> {
  const definitions = Object.values(ofType(resources, 'AWS::ECS::TaskDefinition'))
  const containers = definitions.flatMap(
    ({ Properties }) => Properties.ContainerDefinitions as { Name: string; Image: unknown }[],
  )
  return Object.fromEntries(containers.map(({ Name, Image }) => [Name, asText(Image)]))
}

/** A text with functions in it, flat: references and attributes in angle brackets. */
export function asText(value: unknown): string {
  if (typeof value === 'string') return value
  const { 'Fn::Join': join, 'Fn::GetAtt': attribute, 'Fn::Sub': sub, Ref } = value as Record<string, unknown>
  if (Array.isArray(join)) return (join[1] as unknown[]).map(asText).join(join[0] as string)
  if (Array.isArray(attribute)) return `<${attribute.join('.')}>`
  if (typeof sub === 'string') return sub.replace(/\$\{([^}]*)\}/g, '<$1>')
  return Ref === undefined ? `<${JSON.stringify(value)}>` : `<${Ref}>`
}

/** CDK's repository for the assets of a stack that may go anywhere. */
export const ASSETS =
  '<AWS::AccountId>.dkr.ecr.<AWS::Region>.<AWS::URLSuffix>/cdk-hnb659fds-container-assets-<AWS::AccountId>-<AWS::Region>'

/** What is told of the stack when it is synthesized, as `path: message`. */
export function toldOf(stack: cdk.Stack, level: 'info' | 'warning' | 'error'): string[] {
  const annotations = Annotations.fromStack(stack)
  const found =
    level === 'info'
      ? annotations.findInfo('*', Match.anyValue())
      : level === 'warning'
        ? annotations.findWarning('*', Match.anyValue())
        : annotations.findError('*', Match.anyValue())
  return found.map(({ id, entry }) => `${id}: ${entry.data}`)
}

/** The only one. @throws Error where there is none, or more */
export function only<T>(values: readonly T[] | Readonly<Record<string, T>>): T {
  const list = Object.values(values)
  if (list.length !== 1)
    throw new Error(`expected one, there are ${list.length}: ${JSON.stringify(values).slice(0, 500)}`)
  return list[0] as T
}
