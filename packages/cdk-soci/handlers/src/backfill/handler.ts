// The function behind each step of `SociBackfill`'s state machine.
import type { BackfillEnvironment, BackfillStep } from '../../../src/private/backfill-environment.js'
import { isObject } from '../event.js'
import { Images } from '../images.js'
import { type LambdaContext, workMemory } from '../lambda.js'
import { readSettings, SettingError } from '../on-push/settings.js'
import { causeOfFailure } from '../step-functions/execution-end.js'
import { indexImage, nameOf } from './index-image.js'
import { listImages } from './list-images.js'
import { type RunFiles, withRunFiles } from './run-files.js'
import { summarize } from './summarize.js'

/** Milliseconds that the step has less than the function, to end by itself. */
const GRACE = 10_000
/** The state machine collects what the steps of the map answer: a little of 10,000 images is within its limit. */
const DONE = 1

/** @throws errors whose name the state machine knows; SettingError; errors of the AWS SDK */
export async function backfillHandler(event: unknown, context: LambdaContext): Promise<unknown> {
  if (!isBackfillStep(event)) throw new Error('the event is not a step of the state machine of SociBackfill')
  const settings = readSettings(process.env)
  const bucket = process.env['SOCI_BACKFILL_BUCKET' satisfies keyof BackfillEnvironment]
  if (bucket === undefined || bucket === '') throw new SettingError('SOCI_BACKFILL_BUCKET is missing')
  const signal = AbortSignal.timeout(Math.max(1000, Math.floor(context.getRemainingTimeInMillis() - GRACE)))
  const inFiles = <Result>(use: (files: RunFiles) => Promise<Result>): Promise<Result> =>
    withRunFiles(bucket, event.run, signal, use)

  if (event.step === 'list') return await inFiles((files) => listImages(event.input, settings, files, signal))
  if (event.step === 'summary') return await inFiles((files) => summarize(event.run, event.listed, files))
  if (event.step === 'failed') {
    const { image, failure } = event
    const reason = causeOfFailure(failure.Error, failure.Cause)
    await inFiles((files) => files.writeResult({ image: nameOf(image), digest: image.digest, state: 'failed', reason }))
    return DONE
  }
  const memory = workMemory(context)
  const images = new Images(memory)
  try {
    const result = await indexImage(event.image, { settings, images, memory }, context)
    await inFiles((files) => files.writeResult(result))
    return DONE
  } finally {
    await images.close()
  }
}

export function isBackfillStep(event: unknown): event is BackfillStep {
  return (
    isObject(event) &&
    ['list', 'index', 'failed', 'summary'].includes(String(event.step)) &&
    typeof event.run === 'string'
  )
}
