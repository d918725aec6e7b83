import { Duration, Size, Stack, Token, TokenComparison } from 'aws-cdk-lib'
import type * as ecr from 'aws-cdk-lib/aws-ecr'
import type { Construct } from 'constructs'
import type { SociIndexOnPushProps } from '../soci-index-on-push-options'
import { SociIndexVersion } from '../soci-index-on-push-options'
import { checkFunction } from './answering-function'
import { checkTimeout } from './lambda-provider'
import { type PushFilter, parseFilters } from './push-filters'

/** The props, checked, with their defaults. */
export interface OnPushOptions {
  readonly filters: readonly PushFilter[]
  /** For the handler: those of props that are only known when it is deployed, too. */
  readonly filtersText: string
  readonly indexVersion: SociIndexVersion
  readonly outputTag: string
  readonly timeout: Duration
  readonly maxConcurrency: number
  readonly largeImages: boolean
  readonly largeImageSize: Size
  readonly reconcile: boolean
  readonly reconcileDays: number
}

const OUTPUT_TAG = '{tag}-soci'
const CONCURRENCY = { default: 10, least: 2, most: 1_000 } // "ScalingConfig" in the API reference of Lambda
const RECONCILE_DAYS = { default: 3, least: 1, most: 365 }

/** @throws Error for a prop that is out of its bounds, with the value and the fix */
export function onPushOptions(scope: Construct, props: SociIndexOnPushProps): OnPushOptions {
  const { indexVersion = SociIndexVersion.V2, outputTag = OUTPUT_TAG, repositories = [], timeout } = props
  const isV1 = indexVersion === SociIndexVersion.V1
  for (const repository of repositories) checkRepository(scope, repository)
  if (props.repositories?.length === 0)
    throw new Error('repositories is empty: leave it out for all, or give at least one')
  const filters = props.filters ?? (repositories.length === 0 ? ['*:*'] : [])
  const named = repositories.map(({ repositoryName }) => ({ repository: repositoryName, tag: '*' }))

  if (isV1 && props.outputTag !== undefined)
    throw new Error(`outputTag is "${outputTag}", and an index of V1 makes no tag: leave it out`)
  checkOutputTag(outputTag)
  if (isV1 && props.largeImages === true)
    throw new Error('largeImages is true, and an index of V1 is made by one function: leave it out')
  const largeImages = props.largeImages ?? !isV1
  if (!largeImages && props.largeImageSize !== undefined)
    throw new Error('largeImageSize is given without largeImages: leave it out')
  const reconcile = props.reconcile ?? true
  if (!reconcile && (props.reconcileSchedule ?? props.reconcileDays) !== undefined)
    throw new Error('reconcile is false: leave out reconcileSchedule and reconcileDays')
  checkFunction(props)
  checkTimeout(timeout, 'largeImages hands what needs longer to Step Functions')
  return {
    filters: [...(filters.length === 0 && named.length > 0 ? [] : parseFilters(filters)), ...named],
    filtersText: [...filters, ...named.map(({ repository, tag }) => `${repository}:${tag}`)].join(','),
    indexVersion,
    outputTag,
    timeout: timeout ?? Duration.minutes(15),
    maxConcurrency: concurrencyOf(props),
    largeImages,
    largeImageSize: props.largeImageSize ?? Size.gibibytes(20),
    reconcile,
    reconcileDays: whole('reconcileDays', props.reconcileDays, RECONCILE_DAYS) ?? RECONCILE_DAYS.default,
  }
}

function concurrencyOf({ maxConcurrency, reservedConcurrency }: SociIndexOnPushProps): number {
  const { default: byDefault, least, most } = CONCURRENCY
  const reserved = whole('reservedConcurrency', reservedConcurrency, { least, most: Number.MAX_SAFE_INTEGER })
  const given = whole('maxConcurrency', maxConcurrency, { least, most })
  if (reserved === undefined || Token.isUnresolved(reserved)) return given ?? byDefault
  if (given !== undefined && !Token.isUnresolved(given) && given > reserved)
    throw new Error(
      `maxConcurrency is ${given}, more than the ${reserved} of reservedConcurrency: images that no function is left for would end in the dead-letter queue`,
    )
  return given ?? Math.min(byDefault, reserved)
}

function whole(name: string, value: number | undefined, { least, most }: { least: number; most: number }) {
  if (value === undefined || Token.isUnresolved(value)) return value
  if (!Number.isInteger(value) || value < least || value > most)
    throw new Error(
      `${name} is ${value}: it must be a whole number ${most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`}`,
    )
  return value
}

/** As the handler checks it. */
function checkOutputTag(outputTag: string): void {
  if (Token.isUnresolved(outputTag)) return
  const parts = outputTag.split('{tag}')
  const problem =
    parts.length !== 2
      ? 'it must have {tag} once, as {tag}-soci'
      : parts.join('') === ''
        ? 'the image that was pushed would be replaced, use for example {tag}-soci'
        : /^\w[\w.-]*$/.test(parts.join('t'))
          ? undefined
          : 'around {tag}, tags have letters, digits, _, . and - only'
  if (problem !== undefined) throw new Error(`outputTag is "${outputTag}": ${problem}`)
}

function checkRepository(scope: Construct, repository: ecr.IRepository): void {
  const own = Stack.of(scope)
  for (const place of ['account', 'region'] as const)
    if (Token.compareStrings(own[place], repository.env[place]) === TokenComparison.DIFFERENT)
      throw new Error(
        `repositories has ${repository.node.path} of ${place} ${repository.env[place]}, and the stack's is ${own[place]}: Amazon ECR tells of pushes in the repository's own account and region, make a SociIndexOnPush there`,
      )
}
