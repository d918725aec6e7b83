// What Amazon ECR's lifecycle policies do, as "Lifecycle policy evaluation rules" of its user guide says
// (https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html). A model, and not the service.

export interface LifecycleImage {
  readonly digest: string
  readonly tags: readonly string[]
  /** Days since some day. */
  readonly pushedAt: number
  /** Of a manifest list: digests. */
  readonly lists?: readonly string[]
}

export interface LifecycleRule {
  readonly rulePriority: number
  readonly selection: {
    readonly tagStatus: 'tagged' | 'untagged' | 'any'
    readonly tagPatternList?: readonly string[]
    readonly tagPrefixList?: readonly string[]
    readonly countType: 'imageCountMoreThan' | 'sinceImagePushed'
    readonly countUnit?: 'days'
    readonly countNumber: number
  }
  readonly action: { readonly type: 'expire' }
}

export interface LifecyclePolicy {
  readonly rules: readonly LifecycleRule[]
}

/** What is left after one evaluation. @throws Error for a policy that ECR refuses */
export function evaluate(
  { rules }: LifecyclePolicy,
  images: readonly LifecycleImage[],
  now: number,
): readonly LifecycleImage[] {
  check(rules)
  const marked = new Set<string>()
  const claimed = new Set<string>()
  for (const { selection } of [...rules].sort((a, b) => a.rulePriority - b.rulePriority)) {
    const selected = images.filter((image) => isSelected(image, selection))
    // All that match count, also those that a rule of higher priority has marked
    for (const { digest } of exceeding(selected, selection, now)) if (!claimed.has(digest)) marked.add(digest)
    // "An image that matches the tagging requirements of a rule cannot be expired by a rule with a lower priority"
    for (const { digest } of selected) claimed.add(digest)
  }
  // "If an image is referenced by a manifest list, it cannot be expired without the manifest list being deleted first"
  const listed = new Set(images.flatMap(({ lists = [] }) => lists))
  return images.filter(({ digest }) => !marked.has(digest) || listed.has(digest))
}

/** What is left when evaluations change nothing any more. */
export function settle(policy: LifecyclePolicy, images: readonly LifecycleImage[], now: number) {
  for (let left = images; ; ) {
    const next = evaluate(policy, left, now)
    if (next.length === left.length) return next
    left = next
  }
}

/** "All of the tags in the value are matched against any of the image's tags" */
function isSelected({ tags }: LifecycleImage, selection: LifecycleRule['selection']): boolean {
  const { tagStatus, tagPatternList, tagPrefixList } = selection
  if (tagStatus === 'any') return true
  if (tagStatus === 'untagged') return tags.length === 0
  const patterns = tagPatternList ?? tagPrefixList!.map((prefix) => `${prefix}*`)
  return patterns.every((pattern) => tags.some((tag) => matches(tag, pattern)))
}

function exceeding(
  selected: readonly LifecycleImage[],
  { countType, countNumber }: LifecycleRule['selection'],
  now: number,
) {
  if (countType === 'sinceImagePushed') return selected.filter(({ pushedAt }) => now - pushedAt > countNumber)
  return [...selected].sort((a, b) => b.pushedAt - a.pushedAt).slice(countNumber)
}

function matches(tag: string, pattern: string): boolean {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`).test(tag)
}

function check(rules: readonly LifecycleRule[]): void {
  const priorities = rules.map(({ rulePriority }) => rulePriority)
  if (new Set(priorities).size < rules.length) throw new Error('each rule has a priority of its own')
  if (rules.filter(({ selection }) => selection.tagStatus === 'untagged').length > 1)
    throw new Error('only one rule selects untagged images')
  for (const { rulePriority, selection } of rules) {
    const { tagStatus, tagPatternList = [], tagPrefixList = [], countNumber } = selection
    const lists = [tagPatternList, tagPrefixList].filter((list) => list.length > 0).length
    if (lists !== (tagStatus === 'tagged' ? 1 : 0))
      throw new Error(`${tagStatus}: patterns or prefixes, for tagged only`)
    if (tagStatus === 'any' && rulePriority < Math.max(...priorities)) throw new Error('a rule of any is the last')
    if ([...tagPatternList].some((pattern) => pattern.split('*').length > 5)) throw new Error('at most four wildcards')
    if (!Number.isInteger(countNumber) || countNumber < 1) throw new Error('countNumber is at least 1')
  }
}
