// Finds pushes whose event was lost, as EventBridge delivers those of Amazon ECR by best effort. Costs a request for each 1,000 repositories, and for each
// repository that a filter matches one for each 1,000 images (v1: three more for each image of the days looked at); no layer is read. What it finds goes
// through the queue, as if it had just been pushed.
import type { ECRClient, ImageDetail } from '@aws-sdk/client-ecr'
import { DOCKER_CONFIG, decodeIndex, isIndexType, OCI_CONFIG, readContent, resolveIfThere } from '@sociable/oci'
import type { ReconcileEvent } from '../../../src/private/on-push-environment.js'
import { withAwsClient } from '../aws-client.js'
import { type EcrRepository, ecrRepository } from '../ecr-repository.js'
import { isObject } from '../event.js'
import type { LambdaContext } from '../lambda.js'
import { log } from '../log.js'
import { matchesFilters, matchesWildcards } from './filters.js'
import type { PushTask } from './index-push.js'
import { isOutputTag, OutputTagError, outputTag } from './output-tag.js'
import { type Push, pushEvent } from './push.js'
import { sendMessages } from './queue.js'
import { SettingError, type Settings } from './settings.js'

const PAGE = 1000
const DAY = 24 * 3600_000
/** Milliseconds: a younger push may still be in the queue, or at work. */
const SETTLED = 30 * 60_000
/** Milliseconds that must be left for a further repository; else the next message of the queue goes on. */
const LEAST_TIME = 60_000
/** ECR throttles who asks for many repositories. */
const ATTEMPTS = 8
const SOCI_INDEX_V1 = 'application/vnd.amazon.soci.index.v1+json'

export function isReconcile(event: unknown): event is ReconcileEvent {
  return isObject(event) && event.reconcile === true && (event.after === undefined || typeof event.after === 'string')
}

/** Sends the pushes without a result to the queue. @throws SettingError without a queue; errors of the AWS SDK */
export async function reconcile({ after = '' }: ReconcileEvent, task: PushTask, context: LambdaContext): Promise<void> {
  const { settings } = task
  const { queueUrl } = settings
  if (queueUrl === undefined) throw new SettingError('SOCI_QUEUE_URL is missing: the reconcile run sends pushes there')
  const signal = AbortSignal.timeout(Math.max(0, Math.floor(context.getRemainingTimeInMillis())))
  const { ECRClient } = await import('@aws-sdk/client-ecr')
  await withAwsClient(
    (options) => new ECRClient({ ...options, maxAttempts: ATTEMPTS }),
    async (client) => {
      const names = (await repositoryNames(client, settings, signal)).filter((name) => name > after).sort()
      let [sent, last] = [0, after]
      for (const name of names) {
        if (last !== after && context.getRemainingTimeInMillis() < LEAST_TIME) {
          await sendMessages(queueUrl, [{ reconcile: true, after: last } satisfies ReconcileEvent], signal)
          return log('reconciled in part', { after, last, sent })
        }
        const missing = await missingOf(client, name, task, context, signal)
        await sendMessages(queueUrl, missing.map(pushEvent), signal)
        sent += missing.length
        last = name
      }
      log('reconciled', { after, repositories: names.length, sent })
    },
  )
}

/** Those that a filter matches. */
export async function repositoryNames(
  client: ECRClient,
  { filters }: Pick<Settings, 'filters'>,
  signal: AbortSignal,
): Promise<string[]> {
  const { paginateDescribeRepositories } = await import('@aws-sdk/client-ecr')
  const names: string[] = []
  for await (const { repositories = [] } of paginateDescribeRepositories(
    { client, pageSize: PAGE },
    {},
    { abortSignal: signal },
  ))
    for (const { repositoryName = '' } of repositories)
      if (filters.some(({ repository }) => matchesWildcards(repositoryName, repository))) names.push(repositoryName)
  return names
}

async function missingOf(
  client: ECRClient,
  name: string,
  task: PushTask,
  { invokedFunctionArn }: LambdaContext,
  signal: AbortSignal,
): Promise<Push[]> {
  const [, , , region = '', account = ''] = invokedFunctionArn.split(':')
  const repository = ecrRepository(account, region, name)
  if (repository === undefined) return []
  const images = await describeImages(client, name, signal)
  const now = Date.now()
  const recent = images.filter((image) => {
    const age = now - pushedAt(image)
    return isImage(image) && age > SETTLED && age < task.settings.reconcileDays * DAY
  })
  const pushes = recent.flatMap(({ imageTags = [], imageDigest }) =>
    imageTags.map((tag) => ({ repository, tag, digest: imageDigest! })),
  )
  const wanted = pushes.filter(({ tag }) => matchesFilters(task.settings.filters, name, tag))
  if (task.settings.version === 'v2') return withoutResult(wanted, images, task.settings)
  const missing: Push[] = []
  for (const push of wanted) if (!(await hasIndex(push, task, signal))) missing.push(push)
  return missing
}

/** Tagged images that are not archived. A repository that is deleted meanwhile has none. */
export async function describeImages(
  client: ECRClient,
  repositoryName: string,
  signal: AbortSignal,
): Promise<ImageDetail[]> {
  const { paginateDescribeImages } = await import('@aws-sdk/client-ecr')
  const images: ImageDetail[] = []
  const filter = { tagStatus: 'TAGGED', imageStatus: 'ACTIVE' } as const
  try {
    for await (const { imageDetails = [] } of paginateDescribeImages(
      { client, pageSize: PAGE },
      { repositoryName, filter },
      { abortSignal: signal },
    ))
      images.push(...imageDetails)
  } catch (error) {
    if (!(error instanceof Error && error.name === 'RepositoryNotFoundException')) throw error
  }
  return images.filter(({ imageStatus }) => imageStatus === undefined || imageStatus === 'ACTIVE')
}

/**
 * Those whose output tag is missing, or was pushed before them: then it is of an earlier image. One whose tag went back to an older image cannot be told
 * from one that is done.
 */
export function withoutResult<Tagged extends { readonly tag?: string }>(
  pushes: readonly Tagged[],
  images: readonly ImageDetail[],
  { outputTag: template }: Settings,
): Tagged[] {
  const times = new Map(
    images.flatMap((image) => (image.imageTags ?? []).map((tag) => [tag, pushedAt(image)] as const)),
  )
  return pushes.filter(({ tag = '' }) => {
    if (isOutputTag(template, tag)) return false
    try {
      const made = times.get(outputTag(template, tag))
      return made === undefined || made < times.get(tag)!
    } catch (error) {
      if (error instanceof OutputTagError) return false // told when it was pushed
      throw error
    }
  })
}

/** Whether a SOCI index (v1) is attached to the image, or to the first of its platforms. */
async function hasIndex({ repository, digest }: Push, { images }: PushTask, signal: AbortSignal): Promise<boolean> {
  const store = await images.openEcr(repository as EcrRepository, signal)
  let subject = await resolveIfThere(store, digest, signal)
  if (subject !== undefined && isIndexType(subject.mediaType))
    subject = decodeIndex(await readContent(store, subject, { signal }), digest).manifests?.[0]
  if (subject === undefined) return true // there is nothing to index
  for await (const _ of store.referrers(subject, { artifactType: SOCI_INDEX_V1, signal })) return true
  return false
}

export function pushedAt({ imagePushedAt }: ImageDetail): number {
  return imagePushedAt?.getTime() ?? 0
}

/** ECR tells no type of an index. */
export function isImage({ imageDigest, artifactMediaType: type }: ImageDetail): boolean {
  return imageDigest !== undefined && (type === undefined || type === OCI_CONFIG || type === DOCKER_CONFIG)
}
