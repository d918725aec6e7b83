// Which images a run is to index. Costs a request for each 1,000 repositories, and for each repository that a filter matches one for each 1,000 images.
import type { BackfillItem, BackfillListed } from '../../../src/private/backfill-environment.js'
import { withAwsClient } from '../aws-client.js'
import { isObject } from '../event.js'
import { log } from '../log.js'
import { matchesFilters } from '../on-push/filters.js'
import { isOutputTag } from '../on-push/output-tag.js'
import { describeImages, isImage, pushedAt, repositoryNames, withoutResult } from '../on-push/reconcile.js'
import type { Settings } from '../on-push/settings.js'
import type { RunFiles } from './run-files.js'

const LIMIT = 10_000
/** ECR throttles who asks for many repositories. */
const ATTEMPTS = 8

/** The input of an execution. */
interface RunOptions {
  readonly limit: number
  readonly all: boolean
}

/** The execution's input is not what it has to be. */
export class InputError extends Error {
  override readonly name = 'InputError'
}

/**
 * Writes the images, those that were pushed last first. Those whose result was pushed after them are left out, unless the input has `all`.
 * @throws InputError; errors of the AWS SDK
 */
export async function listImages(
  input: unknown,
  settings: Settings,
  files: RunFiles,
  signal: AbortSignal,
): Promise<BackfillListed> {
  const { limit, all } = runOptions(input)
  const { ECRClient } = await import('@aws-sdk/client-ecr')
  const found: { readonly item: BackfillItem; readonly time: number }[] = []
  await withAwsClient(
    (options) => new ECRClient({ ...options, maxAttempts: ATTEMPTS }),
    async (client) => {
      for (const repository of (await repositoryNames(client, settings, signal)).sort()) {
        const images = (await describeImages(client, repository, signal)).filter(isImage)
        const times = new Map(images.map((image) => [image.imageDigest!, pushedAt(image)]))
        const tagged = images.flatMap(({ imageTags = [], imageDigest: digest = '' }) =>
          imageTags.map((tag) => ({ repository, tag, digest })),
        )
        const wanted = tagged.filter(({ tag }) => matchesFilters(settings.filters, repository, tag))
        for (const item of pending(wanted, images, settings, all)) found.push({ item, time: times.get(item.digest)! })
      }
    },
  )
  found.sort((a, b) => b.time - a.time)
  const items = found.slice(0, limit).map(({ item }) => item)
  await files.writeImages(items)
  const listed = { images: items.length, left: found.length - items.length }
  log('listed', listed)
  return listed
}

function pending(
  wanted: readonly BackfillItem[],
  images: Parameters<typeof withoutResult>[1],
  settings: Settings,
  all: boolean,
): readonly BackfillItem[] {
  if (settings.version === 'v1') return wanted
  if (all) return wanted.filter(({ tag }) => !isOutputTag(settings.outputTag, tag))
  return withoutResult(wanted, images, settings)
}

function runOptions(input: unknown): RunOptions {
  if (!isObject(input)) throw new InputError('the input of the execution is not an object: use {} for the defaults')
  const { limit = LIMIT, all = false, ...more } = input
  const [unknown] = Object.keys(more).filter((name) => !/^(AWS_STEP_FUNCTIONS_|Comment$)/.test(name))
  if (unknown !== undefined) throw new InputError(`the input has ${unknown}: it may have limit and all`)
  if (!Number.isInteger(limit) || (limit as number) < 1 || (limit as number) > LIMIT)
    throw new InputError(`limit is ${JSON.stringify(limit)}: it must be a whole number from 1 to ${LIMIT}`)
  if (typeof all !== 'boolean') throw new InputError(`all is ${JSON.stringify(all)}: it must be true or false`)
  return { limit: limit as number, all }
}
