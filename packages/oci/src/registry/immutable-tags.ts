import { type EcrHost, parseEcrHost } from '../document/ecr-host.js'
import { matchesPattern } from '../document/match-pattern.js'
import type { CallOptions } from '../store.js'
import { withEcr } from './ecr-client.js'

/**
 * Whether a tag, once it is there, is there for good. The registry API itself has no such question, only its refusal of the `PUT`; a registry's own API may have
 * one. False if that cannot be determined.
 */
export type ImmutableTags = (
  registry: string,
  repository: string,
  tag: string,
  options?: CallOptions,
) => Promise<boolean>

/** What ECR says of a repository's tags (ECR API, DescribeRepositories). */
export interface EcrTagRules {
  readonly imageTagMutability?: string | undefined
  /** Tags for which the opposite holds, with `*` for any characters; only of `…_WITH_EXCLUSION`. */
  readonly imageTagMutabilityExclusionFilters?: readonly { readonly filter?: string | undefined }[] | undefined
}

/** The call of the AWS SDK: for tests, or for a client of one's own. */
export type EcrTagsApi = (host: EcrHost, repository: string, options: CallOptions) => Promise<EcrTagRules | undefined>

/** Whoever cannot ask AWS, as the API is not to be reached from here, does not wait longer to find that out. */
const ANSWER_LIMIT = 5000 // ms
const TIMEOUTS = { connectionTimeout: ANSWER_LIMIT, requestTimeout: ANSWER_LIMIT }

/**
 * Asks Amazon ECR, by the AWS SDK's default chain. That needs the permission ecr:DescribeRepositories, which pushing does not; without it, or without
 * an answer in five seconds, the tag counts as one that can be replaced, and ECR will tell when it is written.
 */
export function ecrImmutableTags(api: EcrTagsApi = awsSdk): ImmutableTags {
  return async (registry, repository, tag, { signal } = {}) => {
    const host = parseEcrHost(registry)
    if (host === undefined) return false
    const limit = AbortSignal.timeout(ANSWER_LIMIT)
    try {
      const ended = signal === undefined ? limit : AbortSignal.any([signal, limit])
      return isImmutable((await api(host, repository, { signal: ended })) ?? {}, tag)
    } catch {
      signal?.throwIfAborted()
      return false
    }
  }
}

function isImmutable({ imageTagMutability = '', imageTagMutabilityExclusionFilters = [] }: EcrTagRules, tag: string) {
  const [rule, exclusion] = imageTagMutability.split('_WITH_')
  const isExcluded =
    exclusion !== undefined && imageTagMutabilityExclusionFilters.some(({ filter = '' }) => matchesPattern(tag, filter))
  return (rule === 'IMMUTABLE') !== isExcluded && rule !== ''
}

const awsSdk: EcrTagsApi = (host, repository, { signal }) =>
  withEcr(host, { signal, timeouts: TIMEOUTS, maxAttempts: 2 }, async (client, sdk, options) => {
    const command = new sdk.DescribeRepositoriesCommand({ registryId: host.account, repositoryNames: [repository] })
    return (await client.send(command, options)).repositories?.[0]
  })
