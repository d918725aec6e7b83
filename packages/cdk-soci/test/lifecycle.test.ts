// The lifecycle policies of docs/lifecycle.md, by a model of Amazon ECR's evaluation: what they keep, and what they expire.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { evaluate, type LifecycleImage, type LifecyclePolicy, settle } from './lifecycle-model.js'
import { PACKAGE } from './workplace.js'

const DOCS = readFileSync(join(PACKAGE, 'docs', 'lifecycle.md'), 'utf8')
/** Those of the page, in its order. */
const [SUGGESTED, NAIVE] = [...DOCS.matchAll(/```json\n(.*?)```/gs)].map(
  ([, json = '']) => JSON.parse(json) as LifecyclePolicy,
) as [LifecyclePolicy, LifecyclePolicy]
const KEPT = 10 // versions, as the page says

/** What is in ECR after a version is pushed and converted, in the order of the pushes. */
function version(name: string, day: number, platforms = 1): LifecycleImage[] {
  const names = Array.from({ length: platforms }, (_, i) => `${name}-${i}`)
  const images = platforms === 1 ? [] : names.map((each) => ({ digest: `${each}-image`, tags: [], pushedAt: day }))
  return [
    ...images,
    {
      digest: `${name}-input`,
      tags: [name],
      pushedAt: day + 0.001,
      lists: images.map(({ digest }) => digest),
    },
    ...names.map((each) => ({ digest: `${each}-manifest`, tags: [], pushedAt: day + 0.002 })),
    ...names.map((each) => ({ digest: `${each}-index`, tags: [], pushedAt: day + 0.003 })),
    {
      digest: `${name}-output`,
      tags: [`${name}-soci`],
      pushedAt: day + 0.004,
      lists: names.flatMap((each) => [`${each}-manifest`, `${each}-index`]),
    },
  ]
}

it('a version is 4 images, and 8 for two platforms', () => {
  assert.deepEqual([version('a', 0).length, version('a', 0, 2).length], [4, 8])
  assert.match(DOCS, /is \*\*four images\*\*/)
  assert.match(DOCS, /eight for two platforms/)
})

const digests = (images: readonly LifecycleImage[]) => images.map(({ digest }) => digest).sort()

for (const platforms of [1, 2, 30])
  it(`the suggested policy keeps ${KEPT} versions whole, of ${platforms} platforms`, () => {
    const versions = Array.from({ length: KEPT + 5 }, (_, i) => version(`v${i}`, i * 10, platforms))
    for (let count = 1; count <= versions.length; count++) {
      const now = count * 10 - 9
      const left = settle(SUGGESTED, versions.slice(0, count).flat(), now)
      const expected = versions.slice(Math.max(0, count - KEPT), count).flat()
      assert.deepEqual(digests(left), digests(expected), `after ${count} versions`)
    }
  })

it('the suggested policy expires what a moved tag left behind, and nothing that the new image lists, too', () => {
  const [first, second] = [version('latest', 0, 2), version('latest', 20, 2)]
  const untagged = first.map((image) => ({ ...image, tags: [] }))
  const shared = first.find(({ digest }) => digest === 'latest-0-manifest')!
  const now = second
    .filter(({ digest }) => digest !== shared.digest)
    .map((image) => ({
      ...image,
      digest: `new-${image.digest}`,
      lists: (image.lists ?? []).map((digest) => (digest === shared.digest ? digest : `new-${digest}`)),
    }))
  const images = [...untagged, ...now]
  assert.equal(settle(SUGGESTED, images, 5).length, images.length, 'a task of before may still start')
  assert.deepEqual(digests(settle(SUGGESTED, images, 30)), digests([shared, ...now]))
})

it('a rule for all images that keeps 3 expires the origin of the only version, and the index that runs after the next one', () => {
  const [first, second] = [version('v1', 0), version('v2', 10)]
  assert.equal(first.length, 4)
  const alone = settle(NAIVE, first, 1)
  assert.deepEqual(
    first.filter((image) => !alone.includes(image)).map(({ digest }) => digest),
    ['v1-input'],
  )
  const both = digests(settle(NAIVE, [...first, ...second], 11))
  assert.ok(!both.includes('v1-output'))
})

it('a rule for untagged images expires an index that is attached (v1), if it has no tag', () => {
  const [, , untagged] = SUGGESTED.rules
  const attached = { digest: 'v1-index', tags: [], pushedAt: 0 }
  const image = { digest: 'app', tags: ['v1'], pushedAt: 0 }
  assert.deepEqual(digests(settle({ rules: [untagged!] }, [image, attached], 30)), ['app'])
  const tagged = { ...attached, tags: ['v1-index'] }
  assert.deepEqual(digests(settle({ rules: [untagged!] }, [image, tagged], 30)), ['app', 'v1-index'])
})

it('the model takes rules as the user guide has them', () => {
  const rule = (rulePriority: number, selection: object) => ({ rulePriority, selection, action: { type: 'expire' } })
  const policy = (...rules: object[]) => ({ rules }) as unknown as LifecyclePolicy
  const image = (digest: string, pushedAt: number, ...tags: string[]) => ({ digest, tags, pushedAt })
  // "Examples of lifecycle policies": the image with both prefixes is selected only by the rule with both
  const both = policy(
    rule(1, { tagStatus: 'tagged', tagPrefixList: ['prod', 'beta'], countType: 'imageCountMoreThan', countNumber: 1 }),
    rule(2, { tagStatus: 'tagged', tagPrefixList: ['prod'], countType: 'imageCountMoreThan', countNumber: 1 }),
  )
  const images = [image('a', 1, 'prod-1', 'beta-1'), image('b', 2, 'prod-2'), image('c', 3, 'prod-3', 'beta-2')]
  assert.deepEqual(digests(evaluate(both, images, 4)), ['c'])
  // What a rule of higher priority matches, one of lower priority counts but does not expire
  const any = policy(
    rule(1, { tagStatus: 'tagged', tagPatternList: ['keep*'], countType: 'imageCountMoreThan', countNumber: 9 }),
    rule(2, { tagStatus: 'any', countType: 'imageCountMoreThan', countNumber: 1 }),
  )
  assert.deepEqual(digests(evaluate(any, [image('a', 1, 'keep'), image('b', 2), image('c', 3)], 4)), ['a', 'c'])
  const days = policy(
    rule(1, { tagStatus: 'untagged', countType: 'sinceImagePushed', countUnit: 'days', countNumber: 7 }),
  )
  assert.deepEqual(digests(evaluate(days, [image('a', 1), image('b', 2, 't'), image('c', 3)], 9)), ['b', 'c'])
  assert.throws(() => evaluate(policy(...both.rules, both.rules[0]!), [], 0), /priority of its own/)
  assert.throws(() => evaluate(policy(any.rules[1]!, { ...any.rules[0]!, rulePriority: 3 }), [], 0), /any is the last/)
})
