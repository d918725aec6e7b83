// How a build ended, as CodeBuild tells it ("Build" and "BuildPhase" in its API reference).
import type { Build, BuildPhase } from '@aws-sdk/client-codebuild'
import { type End, parseJson, readOutcome } from '../elsewhere.js'
import { isObject } from '../event.js'
import type { Outcome } from '../work.js'
import { EVENT_VARIABLE, RESULT_VARIABLE, unpackEvent } from './packed-event.js'

/** Characters of a cause. */
const CAUSE_LIMIT = 1_000

/** Undefined for a build that CloudFormation did not ask for. */
export function readBuild(build: Build): End | undefined {
  const variables = build.environment?.environmentVariables ?? []
  const event = unpackEvent(variables.find(({ name }) => name === EVENT_VARIABLE)?.value)
  if (event === undefined) return undefined
  const exported = build.exportedEnvironmentVariables?.find(({ name }) => name === RESULT_VARIABLE)?.value
  return { event, result: resultOf(build, parseJson(exported)), place: placeOf(build) }
}

function resultOf(build: Build, told: unknown): Outcome | string {
  const { buildStatus, phases = [] } = build
  const outcome = readOutcome(told)
  if (buildStatus === 'SUCCEEDED') return outcome ?? 'the build succeeded, but returned no result'
  if (isObject(told) && typeof told.failed === 'string') return told.failed.slice(0, CAUSE_LIMIT)
  const ended = phases.find(({ phaseStatus }) => phaseStatus !== undefined && phaseStatus !== 'SUCCEEDED')
  const words = wordsOf(ended)
  if (buildStatus === 'STOPPED') return 'the build was stopped by somebody'
  if (buildStatus === 'TIMED_OUT')
    return ended?.phaseType === 'QUEUED'
      ? `the build never started: it waited ${build.queuedTimeoutInMinutes} minutes for a machine; deploy again, or ask for a higher quota of running builds`
      : `the build did not finish within its ${build.timeoutInMinutes} minutes: give it more time (timeout) or a larger computeType, or use SociCompute.stepFunctions()`
  if (buildStatus === 'FAULT') return `CodeBuild failed by itself, deploy again${words}`
  if (/exit status 137/.test(words)) return 'the build ran out of memory: give it a larger computeType'
  return `the build ended before its work did, in the phase ${ended?.phaseType ?? 'unknown'}${words}`
}

function wordsOf(phase: BuildPhase | undefined): string {
  const messages = (phase?.contexts ?? []).flatMap(({ message }) => message || [])
  return messages.length === 0 ? '' : `: ${messages.join('; ')}`.slice(0, CAUSE_LIMIT)
}

function placeOf({ id, logs }: Build): string {
  const group = logs?.groupName
  const log = group === undefined ? 'it has no log' : `log group ${group}, stream ${logs?.streamName ?? 'unknown'}`
  return `build ${id}, ${log}`
}
