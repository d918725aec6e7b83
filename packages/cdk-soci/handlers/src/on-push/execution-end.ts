import { resolveIfThere } from '@sociable/oci'
import { withinDeadline } from '../deadline.js'
import { parseEcrRepository } from '../ecr-repository.js'
import { parseJson } from '../elsewhere.js'
import { isObject } from '../event.js'
import type { LambdaContext } from '../lambda.js'
import { log } from '../log.js'
import { isPushedEvent } from '../pushed-event.js'
import { resultOf } from '../step-functions/execution-end.js'
import { describeExecution } from '../step-functions/executions.js'
import { fail } from './fail.js'
import { followTag } from './handle-push.js'
import type { PushTask } from './index-push.js'
import type { Push } from './push.js'
import { reportReady } from './report.js'

/** Tells of a push that the state machine has done with, however it ended. @throws errors of the AWS SDK and of the registry: then it is to be told again */
export async function endExecution(executionArn: string, task: PushTask, context: LambdaContext): Promise<void> {
  const { settings, images } = task
  const execution = await withinDeadline(context, (signal) => describeExecution(executionArn, signal))
  const input = parseJson(execution.input)
  const event = isObject(input) ? input.event : undefined
  const repository = isPushedEvent(event) ? parseEcrRepository(String(event.ResourceProperties.Repository)) : undefined
  if (!isPushedEvent(event) || repository === undefined || execution.status === 'RUNNING')
    return log('left', { executionArn, reason: 'the execution is not of a push, or has not ended' })
  const { tag, digest } = event.push
  const push: Push = { repository, ...(tag !== undefined && { tag }), digest }
  const result = resultOf(execution)
  if (typeof result !== 'string') {
    if (result.left) return log('left', { repository: repository.name, tag, digest, reason: result.reason })
    const { startDate, stopDate } = execution
    const seconds = ((stopDate?.getTime() ?? 0) - (startDate?.getTime() ?? 0)) / 1000
    const outcome = result.bytes === undefined ? result : { ...result, seconds: Math.max(0, seconds) }
    await reportReady(push, outcome, settings, context.functionName)
    return await followTag(push, task, context)
  }
  const there = await withinDeadline(context, async (signal) =>
    resolveIfThere(await images.openEcr(repository, signal), digest, signal),
  )
  if (there === undefined)
    return log('left', { repository: repository.name, tag, digest, reason: 'the image was deleted after the push' })
  await fail(push, `${result} (execution ${executionArn})`, settings, context)
}
