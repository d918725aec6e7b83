// The pattern of EventBridge's rule ("Comparison operators for use in event patterns" in its user guide). It lets through all pushes that a filter matches, and
// as few others as it can tell: the handler has the last word.
import { Stack } from 'aws-cdk-lib'
import type * as events from 'aws-cdk-lib/aws-events'
import type { Construct } from 'constructs'
import type { PushFilter } from './push-filters'

export interface PushPattern {
  readonly filters: readonly PushFilter[]
  /** Tags that are made here, which are left out; undefined for v1. It has `{tag}` once. */
  readonly outputTag: string | undefined
  readonly replicatedImages: boolean
}

/** A pattern may have 2,048 characters (its quota), less some for what tokens become. */
const LONGEST = 1_800
/** EventBridge refuses rules that are too complex, and names no number: this is far from it. */
const MOST_WILDCARDS = 12

export function pushPattern(scope: Construct, { filters, outputTag, replicatedImages }: PushPattern) {
  const narrow = imageConditions(filters, outputTag)
  const conditions = fits(scope, narrow) ? narrow : imageConditions([], outputTag)
  const pattern: events.EventPattern = {
    source: ['aws.ecr'],
    detailType: ['ECR Image Action', ...(replicatedImages ? ['ECR Replication Action'] : [])],
    detail: {
      'action-type': ['PUSH', ...(replicatedImages ? ['REPLICATE'] : [])],
      result: ['SUCCESS'],
      ...conditions,
    },
  }
  return pattern
}

type Matcher = string | { readonly wildcard: string } | { readonly 'anything-but': { readonly wildcard: string } }
type Conditions = Readonly<Record<string, readonly (Matcher | Conditions)[]>>

/** Conditions of the event's detail: one of repositories and tags if all filters are a product of both, else an alternative for each product. */
function imageConditions(filters: readonly PushFilter[], outputTag: string | undefined): Conditions {
  const all = filters.length === 0 || filters.some(({ repository, tag }) => repository === '*' && tag === '*')
  const products = all ? [{ repositories: ['*'], tags: ['*'] }] : productsOf(filters)
  const conditions = products.map(({ repositories, tags }): Conditions => {
    const names = repositories.includes('*') ? [] : repositories.map(matcher)
    // A tag of a multi-platform image's child is missing, which no matcher of v2 lets through
    const wanted = tags.includes('*') ? notOurs(outputTag) : tags.map(matcher)
    return { ...(names.length > 0 && { 'repository-name': names }), ...(wanted.length > 0 && { 'image-tag': wanted }) }
  })
  const [first] = conditions
  return conditions.length === 1 ? first! : { $or: conditions }
}

interface Product {
  readonly repositories: readonly string[]
  readonly tags: readonly string[]
}

/** Repositories that have the same tags, together; and of those, tags that have the same repositories. */
function productsOf(filters: readonly PushFilter[]): Product[] {
  const tags = grouped(filters.map(({ repository, tag }) => [repository, tag]))
  const repositories = grouped([...tags].map(([repository, of]) => [JSON.stringify([...of].sort()), repository]))
  return [...repositories].map(([of, names]) => ({ repositories: [...names], tags: JSON.parse(of) as string[] }))
}

function grouped(pairs: readonly (readonly [string, string])[]): Map<string, Set<string>> {
  const groups = new Map<string, Set<string>>()
  for (const [key, value] of pairs) groups.set(key, (groups.get(key) ?? new Set()).add(value))
  return groups
}

function notOurs(outputTag: string | undefined): Matcher[] {
  return outputTag === undefined ? [] : [{ 'anything-but': { wildcard: outputTag.replace('{tag}', '*') } }]
}

/** EventBridge has no `?`, and refuses two stars in a row. */
function matcher(pattern: string): Matcher {
  return /[*?]/.test(pattern) ? { wildcard: pattern.replaceAll(/[*?]+/g, '*') } : pattern
}

function fits(scope: Construct, conditions: Conditions): boolean {
  const text = JSON.stringify(Stack.of(scope).resolve(conditions))
  return text.length <= LONGEST && text.split('*').length - 1 <= MOST_WILDCARDS
}
