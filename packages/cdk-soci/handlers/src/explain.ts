// What went wrong, as the reason of a FAILED answer: what a user reads in the console, and often all that he reads.
import { StoreError } from '@sociable/oci'
import { parseEcrRepository } from './ecr-repository.js'

/** How the registry's requests are called in IAM ("Actions, resources, and condition keys for Amazon ECR"). */
const ACTIONS: readonly (readonly [request: RegExp, action: string])[] = [
  [/^(?:GET|HEAD) \S*\/(?:manifests|referrers)\//, 'ecr:BatchGetImage'],
  [/^PUT \S*\/manifests\//, 'ecr:PutImage'],
  [/^HEAD \S*\/blobs\/sha/, 'ecr:BatchCheckLayerAvailability'],
  [/^GET \S*\/blobs\/sha/, 'ecr:GetDownloadUrlForLayer'],
  [/^POST \S*\/blobs\/uploads\//, 'ecr:InitiateLayerUpload'],
  [/^PATCH \S*\/blobs\/uploads\//, 'ecr:UploadLayerPart'],
  [/^PUT \S*\/blobs\/uploads\//, 'ecr:UploadLayerPart and ecr:CompleteLayerUpload'],
  [/^GET \S*\/tags\/list/, 'ecr:ListImages'],
]
const REQUEST =
  /\b((?:GET|HEAD|PUT|POST|PATCH) https:\/\/(\S+?)\/v2\/(\S+?)\/(?:manifests|blobs|referrers|tags)\/\S*) answered 40[13]/

/** The IAM action of one of the registry's requests, as `PUT https://HOST/v2/NAME/manifests/TAG`. */
export function actionOf(request: string): string | undefined {
  return ACTIONS.find(([pattern]) => pattern.test(request))?.[1]
}

/** The error in words, with the IAM action and ARN where AWS refused. Never with a secret, as no error of the library or the SDK has one. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { message, name } = error
  if (/not authorized to perform: \S+ on resource/.test(message)) return message // AWS says it itself
  const refused = error instanceof StoreError && (error.code === 'DENIED' || error.code === 'UNAUTHORIZED')
  const match = refused ? REQUEST.exec(message) : null
  const repository = match === null ? undefined : parseEcrRepository(`${match[2]}/${match[3]}`)
  if (repository !== undefined)
    return `not allowed: ${actionOf(match![1]!) ?? match![1]} on ${repository.arn} (the function's role or the repository's policy must allow it): ${message}`
  // The library's and ours speak for themselves; of others the name tells the most
  return [
    'StoreError',
    'ImageError',
    'LayerFormatError',
    'ZtocFormatError',
    'PropertyError',
    'DeadlineError',
    'PushError',
    'OutputTagError',
    'SupersededError',
    'Error',
  ].includes(name)
    ? message
    : `${name}: ${message}`
}
