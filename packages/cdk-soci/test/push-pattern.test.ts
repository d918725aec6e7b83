// The rule of `SociIndexOnPush`, evaluated by the matcher that Amazon EventBridge itself uses (event-ruler, in Java), against the handler's own filters.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, type TestContext, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { App, Stack } from 'aws-cdk-lib'
import { SociIndexOnPush, type SociIndexOnPushProps, SociIndexVersion } from 'cdk-soci'
import { ofType, resourcesOf } from './templates.js'
import { jars, PACKAGE, run } from './workplace.js'

type Event = { readonly detail: { readonly 'repository-name': string; readonly 'image-tag'?: string } }
interface Filters {
  parseFilters(text: string): unknown
  matchesFilters(filters: unknown, repository: string, tag: string): boolean
}

const { parseFilters, matchesFilters } = (await import(
  pathToFileURL(join(PACKAGE, 'handlers/dist/handlers/src/on-push/filters.js')).href
)) as Filters

/** What Amazon ECR's user guide documents, by name. */
const FIXTURES = join(PACKAGE, 'handlers/test/fixtures/ecr-events')
const documented = readdirSync(FIXTURES)
  .flatMap((file) => (file.endsWith('.json') ? [file.slice(0, -5)] : []))
  .sort()
  .map((name) => [name, JSON.parse(readFileSync(join(FIXTURES, `${name}.json`), 'utf8')) as Event] as const)
const push = documented.find(([name]) => name === 'image-push')![1]

const REPOSITORIES = ['app', 'application', 'app/web', 'app/web/api', 'team1/app', 'team22/app', 'other']
const TAGS = [undefined, '', 'latest', 'v1', 'v1.2.3', 'V1', '2-rc1', 'v1-soci', 'soci', '-soci']
const pushes: Event[] = REPOSITORIES.flatMap((name) =>
  TAGS.map((tag) => {
    const { 'image-tag': _, ...detail } = push.detail
    return { ...push, detail: { ...detail, 'repository-name': name, ...(tag !== undefined && { 'image-tag': tag }) } }
  }),
)

const CASES: readonly (SociIndexOnPushProps & { readonly filters: string[] })[] = [
  { filters: ['*:*'] },
  { filters: ['app:*'] },
  { filters: ['app*:*'] },
  { filters: ['app/*:v*'] },
  { filters: ['*/app:*.*.*'] },
  { filters: ['app/*/api:latest', '*1/*:v*'] },
  { filters: ['app:latest', 'app:v1', 'other:latest', 'other:v1'] },
  { filters: ['app:latest', 'other:*', 'team*:v*'] },
  { filters: ['team?/app:v?'] },
  { filters: ['*:?-rc*', '**/app:**'] },
  { filters: REPOSITORIES.map((name) => `${name}:v*`) },
  { filters: Array.from({ length: 200 }, (_, i) => `app${i}:t${i}`) },
  { filters: ['*a*p*p*l*i*c*:*v*.*.*'] },
]
const VERSIONS = [SociIndexVersion.V2, SociIndexVersion.V1]
const RULES = CASES.flatMap((props) => VERSIONS.map((indexVersion) => ({ ...props, indexVersion })))
const REPLICAS: SociIndexOnPushProps = { replicatedImages: true }

function patternOf(props: SociIndexOnPushProps): unknown {
  const stack = new Stack(new App({ analyticsReporting: false }), 'Stack')
  new SociIndexOnPush(stack, 'OnPush', { ...props, reconcile: false })
  const rules = Object.entries(ofType(resourcesOf(stack), 'AWS::Events::Rule'))
  return rules.find(([id]) => id.includes('Pushed'))![1].Properties.EventPattern
}

/** By rule: what it lets through of the documented events and of the pushes, and how complex the matcher finds it. */
let matched: { readonly documented: boolean[]; readonly pushes: boolean[]; readonly complexity: number }[] | undefined

before((t) => {
  const folder = jars(t as TestContext, 'event-ruler')
  if (folder === undefined) return
  const patterns = [...RULES, REPLICAS].map(patternOf)
  const events = [...documented.map(([, event]) => event), ...pushes]
  const args = ['-XX:TieredStopAtLevel=1', '-cp', `${folder}/*`, join(PACKAGE, 'test/ruler/Match.java')]
  matched = run('java', args, { input: JSON.stringify({ patterns, events }) })
    .trim()
    .split('\n')
    .map((line) => {
      const [bits = '', complexity] = line.split(' ')
      const all = [...bits].map((bit) => bit === '1')
      return {
        documented: all.slice(0, documented.length),
        pushes: all.slice(documented.length),
        complexity: Number(complexity),
      }
    })
})

test('of the documented events, only pushes pass, and replicas if wanted', (t) => {
  if (matched === undefined) return t.skip('event-ruler cannot be had')
  const passing = (rule: number) => documented.flatMap(([name], i) => (matched![rule]!.documented[i] ? [name] : []))
  assert.deepEqual(passing(0), ['image-push'])
  assert.deepEqual(passing(1), ['image-push', 'image-push-untagged'])
  assert.deepEqual(passing(RULES.length), ['image-push', 'replication'])
})

test('each push that a filter matches passes, and no other where EventBridge can tell', (t) => {
  if (matched === undefined) return t.skip('event-ruler cannot be had')
  for (const [rule, { filters, indexVersion }] of RULES.entries()) {
    const parsed = parseFilters(filters.join(','))
    const isV1 = indexVersion === SociIndexVersion.V1
    // What the function is needed for: `?`, and filters that are too many
    const isExact =
      !filters.some((filter) => filter.includes('?') || filter.split('*').length > 5) && filters.length < 100
    for (const [i, { detail }] of pushes.entries()) {
      const { 'repository-name': repository, 'image-tag': tag = '' } = detail
      const isOurs = !isV1 && tag.endsWith('-soci')
      const isWanted = matchesFilters(parsed, repository, tag) && !isOurs && (isV1 || tag !== '')
      const passes = matched[rule]!.pushes[i]!
      const what = `${indexVersion} ${filters.join(',').slice(0, 80)}: ${repository}:${tag}`
      if (isWanted) assert.ok(passes, `${what} is not let through`)
      // A tag that is made here passes where the filter's tags are named: one look at its name ends it
      else if (isExact && !isOurs && tag !== '') assert.ok(!passes, `${what} is let through`)
    }
  }
})

test('a push of our own tags does not pass, unless tags are named', (t) => {
  if (matched === undefined) return t.skip('event-ruler cannot be had')
  for (const [i, { detail }] of pushes.entries())
    if (detail['image-tag']?.endsWith('-soci')) assert.ok(!matched[0]!.pushes[i], detail['image-tag'])
})

test('no rule is complex', (t) => {
  if (matched === undefined) return t.skip('event-ruler cannot be had')
  for (const [rule, { complexity }] of matched.entries())
    assert.ok(complexity < 20, `${JSON.stringify(RULES[rule])}: ${complexity}`)
})
