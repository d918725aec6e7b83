// What went wrong, as the reason of a FAILED answer: what a user reads in the console, and often all that he reads.
import { parseEcrHost, StoreError } from '@sociable/oci'
import { parseEcrRepository } from './ecr-repository.js'
import { endpointAdvice } from './unreachable.js'

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

/** Object storage behind ECR, as the registry names it. */
const S3_HOST = /\.s3[.-](?:fips[.-])?(?:dualstack\.)?([a-z0-9-]+)\.amazonaws\./

/** Errors that speak for themselves: the library's and ours. Of others the name tells the most. */
const OWN = [
  'StoreError',
  'ImageError',
  'LayerFormatError',
  'ZtocFormatError',
  'PropertyError',
  'DeadlineError',
  'PushError',
  'OutputTagError',
  'SupersededError',
  'UnreachableError',
  'Error',
]

/**
 * The error in words, with the IAM action and ARN where AWS refused, and the VPC endpoint where it could not be reached. Never with a secret, as no error of
 * the library or the SDK has one, nor with advice for a command line.
 */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { name, message } = error
  const { code, problem } = error instanceof StoreError ? error : { code: undefined, problem: message }
  if (/not authorized to perform: \S+ on resource/.test(problem)) return problem // AWS says it itself
  if (code === undefined) return OWN.includes(name) ? problem : `${name}: ${problem}`
  if (code === 'UNREACHABLE') return [problem, ...adviceFor(problem)].join(': ')
  if (code !== 'DENIED' && code !== 'UNAUTHORIZED') return problem
  const match = REQUEST.exec(problem)
  const repository = match === null ? undefined : parseEcrRepository(`${match[2]}/${match[3]}`)
  if (repository !== undefined)
    return `not allowed: ${actionOf(match![1]!) ?? match![1]} on ${repository.arn} (the function's role or the repository's policy must allow it): ${problem}`
  const [, region] = S3_HOST.exec(problem) ?? []
  if (region !== undefined)
    return `${problem}: a policy of the VPC's endpoint for S3 must allow s3:GetObject on arn:aws:s3:::prod-${region}-starport-layer-bucket/*`
  return match === null ? problem : `${problem}: set credentials that may pull the image`
}

/** What to add to a VPC that has no way to the host of a request. */
function adviceFor(problem: string): string[] {
  const [, host = ''] = / https:\/\/([^/\s]+)\//.exec(problem) ?? []
  const [, storage] = S3_HOST.exec(host) ?? []
  if (storage !== undefined) return [endpointAdvice('s3', storage)]
  const ecr = parseEcrHost(host)
  return ecr === undefined ? [] : [endpointAdvice('ecr.dkr', ecr.region)]
}
