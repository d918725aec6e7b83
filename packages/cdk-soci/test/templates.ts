// What the tests of constructs look at in templates, and an image that assets are made of.
import { join } from 'node:path'
import { App, Stack, type StackProps } from 'aws-cdk-lib'
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions'
import type { IConstruct } from 'constructs'
import { PACKAGE } from './workplace.js'

/** A folder with a Dockerfile; another one, whose image is another. */
export const IMAGE = join(PACKAGE, 'examples', 'fargate-service', 'image')
export const OTHER_IMAGE = join(PACKAGE, 'examples', 'queue-processing', 'image')

export interface Resource {
  readonly Type: string
  readonly Properties: Readonly<Record<string, unknown>>
  readonly DependsOn?: readonly string[]
}
export type Resources = Readonly<Record<string, Resource>>

/** An app without anything from outside: no lookups, no analytics. */
export function newApp(context: Readonly<Record<string, unknown>> = {}): App {
  return new App({ context: { 'aws:cdk:version-reporting': false, ...context }, analyticsReporting: false })
}

export function newStack(app: App = newApp(), id = 'Stack', props: StackProps = {}): Stack {
  return new Stack(app, id, props)
}

/** The app is synthesized. */
export function resourcesOf(stack: Stack): Resources {
  return Template.fromStack(stack).toJSON().Resources ?? {}
}

export function ofType(resources: Resources, type: string): Readonly<Record<string, Resource>> {
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
export function toldOf(stack: Stack, level: 'info' | 'warning' | 'error'): string[] {
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

/** Constructs below, and the construct, that hold the words in their path. */
export function pathsWith(scope: IConstruct, words: string): string[] {
  return scope.node
    .findAll()
    .map(({ node }) => node.path)
    .filter((path) => path.includes(words))
}
