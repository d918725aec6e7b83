import type { OnPushEnvironment } from '../../../src/private/on-push-environment.js'
import { parseJson } from '../elsewhere.js'
import { isObject, type Properties } from '../event.js'
import { type PushFilter, parseFilters } from './filters.js'
import { templateProblem } from './output-tag.js'

/** What the construct, or a template's parameters, chose. */
export interface Settings {
  readonly filters: readonly PushFilter[]
  readonly version: 'v1' | 'v2'
  /** See `outputTag`. */
  readonly outputTag: string
  /** Properties of the custom resource that are options of the index. */
  readonly options: Properties
  readonly eventBus: string | undefined
  readonly metricsNamespace: string | undefined
  readonly stateMachine: string | undefined
  /** Compressed bytes. */
  readonly stateMachineAbove: number
  readonly reconcileDays: number
  readonly queueUrl: string | undefined
  readonly deadLetterQueueUrl: string | undefined
  readonly maxReceiveCount: number | undefined
}

/** An environment variable is not what it has to be: nothing can be done until it is. */
export class SettingError extends Error {
  override readonly name = 'SettingError'
}

/** Options of `SociIndexProperties` that say how an index is made. */
const OPTIONS = [
  'SpanSize',
  'MinLayerSize',
  'Platforms',
  'PrefetchFiles',
  'BuildTool',
  'Xattr',
  'RequireIndex',
  'Profile',
]
const RECONCILE_DAYS = 3

/** @throws SettingError, FilterError */
export function readSettings(environment: NodeJS.ProcessEnv): Settings {
  const text = (name: keyof OnPushEnvironment): string | undefined => environment[name] || undefined
  const number = (name: keyof OnPushEnvironment): number | undefined => {
    const value = text(name)
    if (value !== undefined && !/^\d{1,15}$/.test(value)) throw invalid(name, value, 'a whole number')
    return value === undefined ? undefined : Number(value)
  }
  const version = (text('SOCI_INDEX_VERSION') ?? 'v2').toLowerCase()
  if (version !== 'v1' && version !== 'v2') throw invalid('SOCI_INDEX_VERSION', version, 'V1 or V2')
  const outputTag = text('SOCI_OUTPUT_TAG') ?? '{tag}-soci'
  const problem = templateProblem(outputTag)
  if (problem !== undefined) throw new SettingError(`SOCI_OUTPUT_TAG is ${JSON.stringify(outputTag)}: it ${problem}`)
  return {
    filters: parseFilters(text('SOCI_FILTERS') ?? '*:*'),
    version,
    outputTag,
    options: readOptions(text('SOCI_OPTIONS') ?? '{}'),
    eventBus: text('SOCI_EVENT_BUS'),
    metricsNamespace: text('SOCI_METRICS_NAMESPACE'),
    stateMachine: text('SOCI_STATE_MACHINE'),
    stateMachineAbove: number('SOCI_STATE_MACHINE_ABOVE') ?? Number.POSITIVE_INFINITY,
    reconcileDays: number('SOCI_RECONCILE_DAYS') ?? RECONCILE_DAYS,
    queueUrl: text('SOCI_QUEUE_URL'),
    deadLetterQueueUrl: text('SOCI_DEAD_LETTER_QUEUE_URL'),
    maxReceiveCount: number('SOCI_MAX_RECEIVE_COUNT'),
  }
}

function readOptions(text: string): Properties {
  const options = parseJson(text)
  if (!isObject(options)) throw invalid('SOCI_OPTIONS', text, 'an object in JSON')
  const unknown = Object.keys(options).find((name) => !OPTIONS.includes(name))
  if (unknown !== undefined)
    throw invalid('SOCI_OPTIONS', text, `an object with ${OPTIONS.join(', ')} only, not ${unknown}`)
  return options
}

function invalid(name: keyof OnPushEnvironment, value: string, what: string): SettingError {
  return new SettingError(`${name} is ${JSON.stringify(value.slice(0, 300))}: it must be ${what}`)
}
