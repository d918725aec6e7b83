import { type Answer, failed, sendAnswer, succeeded } from './answer.js'
import { buildAttached } from './build-attached.js'
import { buildImage } from './build-image.js'
import { withinDeadline } from './deadline.js'
import type { CloudFormationEvent, Properties } from './event.js'
import { explain } from './explain.js'
import type { FailureRecord } from './failure-record.js'
import { Images } from './images.js'
import { type IndexRequest, imageName, ownerOf, parseIndexRequest } from './index-request.js'
import { type LambdaContext, logPlace, workMemory } from './lambda.js'
import { log } from './log.js'
import { whilePermissionsSpread } from './permissions.js'
import { checkNewest, isPushedEvent, type PushedEvent } from './pushed-event.js'
import { removeResult } from './remove-result.js'
import { IN_BACKGROUND, standingResult } from './standing-result.js'
import type { Outcome, Work } from './work.js'

/** Does what the event asks for, and answers it, whatever happens. @throws Error where CloudFormation could not be answered */
export async function answerEvent(event: CloudFormationEvent, context: LambdaContext): Promise<void> {
  const { RequestType, RequestId, StackId, LogicalResourceId } = event
  log('asked', { RequestType, RequestId, StackId, LogicalResourceId })
  if (RequestType !== 'Delete' && tryParse(event.ResourceProperties)?.background)
    return await answerBeforeWork(event, context)
  const answer = await withinDeadline(context, (signal) => perform(event, context, signal)).catch((error) =>
    failureAnswer(event, error, context),
  )
  await answerAndLog(event, answer)
}

/**
 * Answers with what there is, and goes on with the work. What fails then is Lambda's to tell: it counts the error, and hands the event to the
 * dead-letter queue.
 * @throws Error for work that failed, or where CloudFormation could not be answered
 */
async function answerBeforeWork(event: CloudFormationEvent, context: LambdaContext): Promise<void> {
  const isToBeMade = await answerStanding(event, context)
  if (!isToBeMade) return
  await withinDeadline(context, (signal) => perform(event, context, signal)).catch((error) => {
    log('failed in the background', { error: error instanceof Error ? error.stack : String(error) })
    throw new Error(explain(error))
  })
}

/** @returns whether the result is still to be made */
async function answerStanding(event: CloudFormationEvent, context: LambdaContext): Promise<boolean> {
  try {
    const request = parseIndexRequest(event.ResourceProperties)
    const standing = await withinDeadline(context, (signal) =>
      withWork(event, request, context, signal, standingResult),
    )
    await answerAndLog(event, outcomeAnswer(event, request, standing))
    return standing.reason === IN_BACKGROUND
  } catch (error) {
    await answerAndLog(event, failureAnswer(event, error, context))
    return false
  }
}

/** Answers for an invocation that ended without an answer. Never throws: nobody would answer then either, and Lambda would ask again. */
export async function answerFailure({ event, cause }: FailureRecord, context: LambdaContext): Promise<void> {
  try {
    const request = tryParse(event.ResourceProperties)
    if (request?.background && event.RequestType !== 'Delete') {
      // It may have been answered, which the second answer changes nothing of
      log('failed in the background', { cause })
      return void (await answerStanding(event, context))
    }
    const reason = `${cause} (log group ${context.logGroupName})`
    await answerAndLog(event, failed(event, reason, request?.physicalId))
  } catch (error) {
    log('no answer', { error: (error as Error).message })
  }
}

/** Characters of a reason that are worth reading; where the log is comes after them. */
const REASON_LENGTH = 2000

/** The answer of an event that was done. */
export function outcomeAnswer(event: CloudFormationEvent, request: IndexRequest, outcome: Outcome): Answer {
  return succeeded(event, request.physicalId, attributes(request, outcome))
}

/** The answer of an event that failed, or cannot be understood: with the cause, and where the log is. */
export function failureAnswer(event: CloudFormationEvent, error: unknown, context: LambdaContext): Answer {
  const request = tryParse(event.ResourceProperties)
  const what = explain(error)
  const short = what.length > REASON_LENGTH ? `${what.slice(0, REASON_LENGTH)}…` : what
  const reason = `${short} (${logPlace(context)})`
  log('failed', { error: error instanceof Error ? error.stack : String(error) })
  return failed(event, reason, request?.physicalId)
}

async function perform(event: CloudFormationEvent, context: LambdaContext, signal: AbortSignal): Promise<Answer> {
  const { RequestType, PhysicalResourceId } = event
  if (RequestType === 'Delete') {
    // What was never made, or is of another make, has nothing that could be removed
    const request = tryParse(event.ResourceProperties)
    if (request?.physicalId !== PhysicalResourceId) return succeeded(event, PhysicalResourceId ?? '')
    await withWork(event, request!, context, signal, removeResult)
    return succeeded(event, request!.physicalId)
  }
  const request = parseIndexRequest(event.ResourceProperties)
  log('to be indexed', {
    image: imageName({ repository: request.repository, tag: request.input }),
    output: imageName(request.output),
  })
  const build = request.format === 'v2' ? buildImage : buildAttached
  return outcomeAnswer(event, request, await withWork(event, request, context, signal, build))
}

/** Does work of an event, again while permissions spread. */
export async function withWork<Result>(
  event: CloudFormationEvent | PushedEvent,
  request: IndexRequest,
  context: Pick<LambdaContext, 'memoryLimitInMB'>,
  signal: AbortSignal,
  work: (work: Work) => Promise<Result>,
): Promise<Result> {
  const memory = workMemory(context)
  if (isPushedEvent(event)) {
    const images = new Images(memory)
    try {
      return await work(await pushWork(event, request, images, memory, signal))
    } finally {
      await images.close()
    }
  }
  const former = event.OldResourceProperties && tryParse(event.OldResourceProperties)
  return await whilePermissionsSpread(async () => {
    const images = new Images(memory)
    try {
      return await work({ request, former, owner: ownerOf(event), images, memory, signal })
    } finally {
      await images.close()
    }
  }, signal)
}

/** Work for a push: its result is nobody's, and takes the tag only while the pushed tag names what was pushed. */
export async function pushWork(
  { push }: PushedEvent,
  request: IndexRequest,
  images: Images,
  memory: number,
  signal: AbortSignal,
): Promise<Work> {
  const store = await images.openEcr(request.repository, signal)
  const beforeTag = (): Promise<void> => checkNewest(store, push, signal)
  return { request, former: undefined, owner: undefined, images, memory, beforeTag, signal }
}

/** All attributes that the constructs have, as CloudFormation wants them: strings. */
function attributes(
  request: IndexRequest,
  { imageDigest, indexed, reason }: Outcome,
): Readonly<Record<string, string>> {
  const { repository, tag } = request.output
  return {
    imageDigest,
    imageUri: `${repository.uri}@${imageDigest}`,
    outputImageTag: tag,
    indexed: String(indexed),
    indexReason: reason,
  }
}

/** Sends the answer, once its words are in the log. @throws Error where CloudFormation could not be answered */
export async function answerAndLog(event: CloudFormationEvent, answer: Answer): Promise<void> {
  const { Status, Reason, PhysicalResourceId, Data } = answer
  log('answer', { Status, Reason, PhysicalResourceId, Data })
  await sendAnswer(event, answer)
}

function tryParse(properties: Properties): IndexRequest | undefined {
  try {
    return parseIndexRequest(properties)
  } catch {
    return undefined
  }
}
