import type * as ecs from 'aws-cdk-lib/aws-ecs'
import type { Construct } from 'constructs'
import { getHandled, setHandled } from './handled-containers'
import { lazySetting } from './lazy-scopes'
import { decide } from './left-alone'
import { inform, warn } from './notes'
import { resultReference } from './shared-index'
import { platformOf } from './task-definition'

/** A container of a task definition, as constructs have it or as it stands in the template. */
export interface Container {
  /** What messages are attached to, and where its settings are looked for. */
  readonly construct: Construct
  readonly definition: ecs.CfnTaskDefinition
  readonly name: string
  readonly imageName: string
  /** Of the index, where several are made below the construct. */
  readonly indexId?: string
}

/** The image's name with its index, which is made; undefined where it stays as it is, which is told once. */
export function makeLazy(container: Container): string | undefined {
  const { construct, definition, name, imageName, indexId } = container
  const setting = lazySetting(construct)
  if (setting === undefined || !platformOf(definition).isFargate) return undefined
  const handled = getHandled(definition, name)
  if (handled !== undefined) {
    if (!handled.lazy && !handled.told) leave(container, handled.reason)
    return undefined
  }
  const { options, off } = setting
  if (options === undefined) {
    leave(container, off)
    return undefined
  }
  const decision = decide(definition, imageName)
  if ('reason' in decision) {
    leave(container, decision.reason)
    return undefined
  }
  setHandled(definition, name, { lazy: true })
  const { image } = decision
  if (image.reference === 'latest' && options.refresh === undefined) warnOfLatest(container)
  return `${image.repositoryUri}${resultReference(construct, { image }, options, indexId)}`
}

function leave({ construct, definition, name }: Container, reason: string): void {
  setHandled(definition, name, { lazy: false, reason, told: true })
  inform(construct, `cdk-soci:leftAsItIs:${name}`, `LazyLoading leaves the container "${name}" as it is: ${reason}`)
}

/** A container that follows its tag without lazy loading does not with it: the user has to know. */
function warnOfLatest({ construct, name }: Container): void {
  const message = `LazyLoading: the container "${name}" has the tag "latest", and stays with the image that it names now: what is pushed under it later is used when the option refresh changes; a tag of its own for each image does without`
  warn(construct, `cdk-soci:latest:${name}`, message)
}
