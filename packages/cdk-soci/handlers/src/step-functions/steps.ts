// The steps of the state machine: what is to be indexed, each layer, and the image of it. What goes from one to the other is the library's JSON.
import {
  assembleConversion,
  type ConversionLayer,
  type ConversionPlan,
  indexPlannedLayer,
  type LayerResult,
  planConversion,
} from 'sociable'
import { withWork } from '../answer-event.js'
import { buildAttached } from '../build-attached.js'
import { buildImageBy } from '../build-image.js'
import { DeadlineError, withinDeadline } from '../deadline.js'
import { type CloudFormationEvent, isCloudFormationEvent, isObject } from '../event.js'
import { explain } from '../explain.js'
import { parseIndexRequest } from '../index-request.js'
import { type LambdaContext, logPlace } from '../lambda.js'
import { log } from '../log.js'
import { isPushedEvent, type PushedEvent, SupersededError } from '../pushed-event.js'
import { indexOptions, type Outcome, type Work } from '../work.js'
import { causeOfFailure } from './execution-end.js'
import { checkPayload } from './payload.js'
import { StepError } from './step-error.js'

export type Step = PlanStep | LayerStep | AssembleStep

/** Whose image it is. */
type StepEvent = CloudFormationEvent | PushedEvent

interface PlanStep {
  readonly step: 'plan'
  readonly event: StepEvent
}

interface LayerStep {
  readonly step: 'layer'
  readonly event: StepEvent
  readonly layer: ConversionLayer
}

interface AssembleStep {
  readonly step: 'assemble'
  readonly event: StepEvent
  /** Its `layers` are what became of them by now. */
  readonly plan: Omit<ConversionPlan, 'layers'> & { readonly layers: readonly (LayerResult | FailedLayer)[] }
}

/** A layer whose function failed, as the state machine tells it. */
export interface FailedLayer {
  readonly failed: { readonly Error?: string; readonly Cause?: string }
  readonly digest: string
}

/** What the first step found: that there is nothing left to do, or what there is. */
export type Planned = { readonly done: Outcome } | { readonly plan: ConversionPlan }

export function isStep(event: unknown): event is Step {
  return (
    isObject(event) &&
    typeof event.step === 'string' &&
    (isCloudFormationEvent(event.event) || isPushedEvent(event.event))
  )
}

/** @throws StepError with the reason, and where the log is */
export async function runStep(step: Step, context: LambdaContext): Promise<Planned | LayerResult | Outcome> {
  const { event } = step
  try {
    const request = parseIndexRequest(event.ResourceProperties)
    // What is mirrored was so by the first step: a tag that moves meanwhile is nothing to the others
    const wanted = step.step === 'plan' ? request : { ...request, source: undefined }
    return await withinDeadline(context, (signal) =>
      withWork(event, wanted, context, signal, (work): Promise<Planned | LayerResult | Outcome> => {
        if (step.step === 'plan') return plan(work, event)
        if (step.step === 'layer') return indexLayer(work, step.layer)
        if (step.step === 'assemble') return assemble(work, step.plan)
        throw new Error(`there is no step ${JSON.stringify((step as { step: unknown }).step)}`)
      }),
    )
  } catch (error) {
    if (error instanceof SupersededError && step.step !== 'layer') return leave(step, error)
    log('failed', { step: step.step, error: error instanceof Error ? error.stack : String(error) })
    const isLate = step.step === 'layer' && error instanceof DeadlineError
    throw new StepError(isLate ? tooLong(step.layer, context) : explain(error), logPlace(context))
  }
}

/** Nothing is made of a push that is not the newest of its tag any more. */
function leave({ step, event }: PlanStep | AssembleStep, { message }: SupersededError): Planned | Outcome {
  log('left', { reason: message })
  const imageDigest = (event as PushedEvent).push.digest
  const outcome: Outcome = { imageDigest, indexed: false, reason: message, left: true }
  return step === 'plan' ? { done: outcome } : outcome
}

/** A layer is the unit of the work: no more functions would help. */
function tooLong({ digest, size }: ConversionLayer, { memoryLimitInMB }: LambdaContext): string {
  return `layer ${digest} (${size} bytes) takes longer than a function with ${memoryLimitInMB} MiB may: give it more memory (3538 MiB are two processors, more makes one layer no faster), or use SociCompute.codeBuild()`
}

async function plan(work: Work, event: StepEvent): Promise<Planned> {
  // An index beside the image (v1) is not made in steps
  if (work.request.format === 'v1') return { done: await buildAttached(work) }
  let found: ConversionPlan | undefined
  const done = await buildImageBy(work, async (input, output, options) => {
    await work.beforeTag?.() // before layers are indexed in vain
    found = await planConversion(input, output, options)
    log('planned', { digest: found.digest, layers: found.layers.length, reused: found.reused.length })
    return undefined
  })
  if (done !== undefined) return { done }
  const plan = found!
  checkPayload(event, plan)
  return { plan: { ...plan, reused: plan.reused.map(brief) } }
}

async function indexLayer(work: Work, layer: ConversionLayer): Promise<LayerResult> {
  const { request, images, signal } = work
  const source = { store: await images.openEcr(request.repository, signal) }
  const destination = { store: await images.openEcr(request.output.repository, signal) }
  const result = await indexPlannedLayer(source, destination, layer, await indexOptions(work))
  const { digest, state, size, seconds } = result
  log('layer', { digest, state, size, seconds })
  return brief(result)
}

async function assemble(work: Work, { layers, ...plan }: AssembleStep['plan']): Promise<Outcome> {
  const failures = layers.filter((layer) => 'failed' in layer)
  const [first] = failures
  if (first !== undefined) {
    const { digest, failed } = first
    const others = failures.length === 1 ? '' : ` (and ${failures.length - 1} more of ${layers.length} layers failed)`
    throw new Error(`layer ${digest} could not be indexed${others}: ${causeOfFailure(failed.Error, failed.Cause)}`)
  }
  const results = layers as readonly LayerResult[]
  const outcome = await buildImageBy(work, async (input, output, options) => {
    const done = await assembleConversion(input, output, { ...plan, layers: [] }, results, options)
    const { digest, indexed, reason = '', warnings, bytesIndexed, seconds } = done
    log('assembled', { digest, indexed, reason, bytesIndexed, seconds, warnings: warnings.slice(0, 5) })
    return { imageDigest: digest, indexed, reason, bytes: bytesIndexed, seconds }
  })
  return outcome!
}

/** What the last step needs of a result: all else it reads in the zTOC. */
function brief({ mediaType, digest, size, state, reason, ztoc, seconds }: LayerResult): LayerResult {
  return {
    mediaType,
    digest,
    size,
    state,
    ...(reason !== undefined && { reason: reason.slice(0, 200) }),
    ...(ztoc !== undefined && { ztoc }),
    ...(seconds !== undefined && { seconds: Math.round(seconds * 1000) / 1000 }),
  }
}
