// One image of a run, by the same way as a push.
import type { BackfillItem } from '../../../src/private/backfill-environment.js'
import { DeadlineError, withinDeadline } from '../deadline.js'
import { ecrRepository } from '../ecr-repository.js'
import { explain } from '../explain.js'
import { type LambdaContext, logPlace } from '../lambda.js'
import { log } from '../log.js'
import { isFinal } from '../on-push/failure.js'
import { indexPush, type PushEnd, type PushTask } from '../on-push/index-push.js'
import { StepError } from '../step-functions/step-error.js'
import type { ImageResult } from './run-files.js'

/** @throws StepError where another try may mend it */
export async function indexImage(item: BackfillItem, task: PushTask, context: LambdaContext): Promise<ImageResult> {
  const image = nameOf(item)
  const [, , , region = '', account = ''] = context.invokedFunctionArn.split(':')
  const repository = ecrRepository(account, region, item.repository)
  const { tag, digest } = item
  try {
    if (repository === undefined) throw new Error(`${item.repository} is not a repository of Amazon ECR`)
    const end = await withinDeadline(context, (signal) => indexPush({ repository, tag, digest }, task, signal))
    return { image, digest, ...resultOf(end) }
  } catch (error) {
    log('not done', { image, error: error instanceof Error ? error.stack : String(error) })
    if (!(isFinal(error) || error instanceof DeadlineError)) throw new StepError(explain(error), logPlace(context))
    const reason = error instanceof DeadlineError ? LATE : explain(error)
    return { image, digest, state: 'failed', reason: `${reason} (${logPlace(context)})` }
  }
}

const LATE =
  'the image did not fit into the time of a function: give it more memory, or convert the image with sociable on a machine'

function resultOf(end: PushEnd): Omit<ImageResult, 'image' | 'digest'> {
  if (end.state === 'left') return { state: 'skipped', reason: end.reason }
  if (end.state === 'handed over') return { state: 'skipped', reason: `handed over to ${end.executionArn}` }
  const { imageDigest, indexed, reason, bytes, seconds } = end.outcome
  if (!indexed) return { state: 'skipped', reason, imageDigest }
  if (seconds === undefined) return { state: 'present', imageDigest }
  return { state: 'indexed', imageDigest, bytes: bytes ?? 0, seconds: Math.round(seconds * 1000) / 1000 }
}

export function nameOf({ repository, tag }: BackfillItem): string {
  return `${repository}:${tag}`
}
