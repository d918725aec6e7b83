// What `SociBackfill` makes: its state machine interpreted, with the function as it ships behind each step, and Amazon ECR and S3 around it.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { type TestContext, test } from 'node:test'
import { convert, inspect } from 'sociable'
import type { ImageResult } from '../src/backfill/run-files.js'
import type { Summary } from '../src/backfill/summarize.js'
import { type Cloud, startCloud } from './support/cloud.js'
import { pushApp, pushSmall, tagsOf } from './support/images.js'
import { ensureNode } from './support/nodes.js'
import { type S3, startS3 } from './support/s3.js'
import { MACHINE_ARN, type StepFunctions, startStepFunctions } from './support/step-functions.js'
import { allows, synthesizeConstruct, type Template } from './support/template.js'

const CONSTRUCT = `new soci.SociBackfill(stack, 'Backfill', {
  filters: ['app:*', 'other:v?'], minLayerSize: 0, spanSize: 4096, maxConcurrency: 3 })`
const REPOSITORY = 'arn:aws:ecr:eu-west-1:123456789012:repository/'

/** Amazon ECR asks for all repositories when they are listed. */
function resourceOf(action: string, repository: string | undefined): string {
  if (repository !== undefined) return REPOSITORY + repository
  return action === 'ecr:DescribeRepositories' ? `${REPOSITORY}*` : '*'
}

interface World extends Cloud {
  readonly template: Template
  readonly steps: StepFunctions
  readonly s3: S3
  start(name: string, input?: object): Promise<void>
  /** Waits for its end. */
  end(name: string): Promise<string>
  /** Starts it, and waits for its end. */
  run(name: string, input?: object): Promise<{ status: string; summary: Summary & { images: ImageResult[] } }>
  /** Output tags that were written, in order. */
  written(): string[]
}

async function start(
  t: TestContext,
  existing = ['app', 'other', 'third'],
  construct = CONSTRUCT,
  through = 'index.backfillHandler',
): Promise<World | undefined> {
  const node = await ensureNode(t, '24')
  const template = await synthesizeConstruct(t, construct)
  if (node === undefined || template === undefined) return undefined
  const cloud = await startCloud(t, { existing })
  const s3 = await startS3(t)
  const machine = template.resource('AWS::StepFunctions::StateMachine')
  // moto takes only a number with a point there; and the tests need not wait so long
  const definition = machine.Properties.DefinitionString.replace('Percentage":100', 'Percentage":100.0').replaceAll(
    '"IntervalSeconds":10',
    '"IntervalSeconds":1',
  )
  const handler = template.resource('AWS::Lambda::Function').Properties
  assert.equal(handler.Handler, 'index.backfillHandler')
  const steps = await startStepFunctions(
    t,
    { ...machine, Properties: { DefinitionString: definition } },
    {
      node,
      environment: { ...cloud.environment, ...s3.environment, ...handler.Environment.Variables },
      asset: template.asset,
      handler: through,
    },
    s3.files,
  )
  if (steps === undefined) return undefined
  const begin = async (name: string, input: object = {}): Promise<void> => {
    await steps.call('StartExecution', { stateMachineArn: MACHINE_ARN, name, input: JSON.stringify(input) })
  }
  const end = async (name: string): Promise<string> =>
    ((await steps.end(name)) as { detail: { status: string } }).detail.status
  return {
    ...cloud,
    template,
    steps,
    s3,
    start: begin,
    end,
    async run(name, input) {
      await begin(name, input)
      const status = await end(name)
      const summary = [...s3.files].find(([file]) => file.endsWith(`/runs/${name}/summary.json`))?.[1]
      const executionArn = `${MACHINE_ARN.replace(':stateMachine:', ':execution:')}:${name}`
      const { error, cause } = await steps.call('DescribeExecution', { executionArn })
      assert.ok(summary !== undefined, `${status}: ${error}: ${cause}: ${steps.log().slice(-3000)}`)
      return { status, summary: JSON.parse(summary.toString()) }
    },
    written: () =>
      cloud.ecr.requests.flatMap(({ method, path }) =>
        method === 'PUT' ? (/^\/v2\/(\w+\/manifests\/[^:]+-soci)$/.exec(path)?.[1] ?? []) : [],
      ),
  }
}

const counts = ({ indexed, present, skipped, failed, missing, left }: Summary) => ({
  indexed,
  present,
  skipped,
  failed,
  missing,
  left,
})
const NONE = { indexed: 0, present: 0, skipped: 0, failed: 0, missing: 0, left: 0 }

test('the definition is one of Amazon States Language', async (t) => {
  const template = await synthesizeConstruct(t, CONSTRUCT)
  if (template === undefined) return
  const validate = createRequire(import.meta.url)('asl-validator') as (definition: object) => {
    readonly isValid: boolean
    readonly errorsText: () => string
  }
  const definition = JSON.parse(template.resource('AWS::StepFunctions::StateMachine').Properties.DefinitionString)
  const { isValid, errorsText } = validate(definition)
  assert.ok(isValid, errorsText())
  assert.equal(validate({ ...definition, StartAt: 'Nowhere' }).isValid, false)
})

test('a run indexes what the filters match, with what the template allows; run again, it does nothing', async (t) => {
  const world = await start(t)
  if (world === undefined) return
  const { run, written, store, template, ecr, steps, s3 } = world
  const functions = template.statements('lambda.amazonaws.com')
  ecr.setPolicy((action, repository) => allows(functions, action, resourceOf(action, repository)))
  const [app, other, third] = [await store('app'), await store('other'), await store('third')]
  for (const tag of ['one', 'two', 'done']) await pushApp(app, tag)
  const signature = `sha256-${'a'.repeat(64)}.sig`
  await app.tag(await app.resolve('one'), 'a'.repeat(124))
  for (const tag of ['v1', 'v10', 'w1']) await pushApp(other, tag)
  await pushApp(third, 'v1')
  await convert(
    { store: app, reference: 'done' },
    { store: app, reference: 'done-soci' },
    { minLayerSize: 0, spanSize: 4096 },
  )
  const { digest } = await app.resolve('done-soci')

  const first = await run('first', { limit: 2 })
  assert.equal(first.status, 'SUCCEEDED', steps.log().slice(-2000))
  assert.deepEqual(counts(first.summary), { ...NONE, indexed: 2, left: 1 })
  const rest = await run('rest')
  assert.deepEqual([rest.status, counts(rest.summary)], ['SUCCEEDED', { ...NONE, indexed: 1 }])
  assert.deepEqual(written().sort(), ['app/manifests/one-soci', 'app/manifests/two-soci', 'other/manifests/v1-soci'])
  for (const [place, tag] of [
    [app, 'one'],
    [app, 'two'],
    [other, 'v1'],
  ] as const) {
    const made = await place.resolve(`${tag}-soci`)
    assert.equal((await inspect({ store: place, reference: `${tag}-soci` })).sociEnabled, true)
    const told = [...first.summary.images, ...rest.summary.images].find(({ image }) => image.endsWith(`:${tag}`))!
    assert.deepEqual([told.state, told.imageDigest, told.bytes! > 30_000], ['indexed', made.digest, true])
  }
  assert.deepEqual(await tagsOf(third), ['v1'])
  assert.equal((await app.resolve('done-soci')).digest, digest)

  const again = await run('again')
  assert.deepEqual([again.status, counts(again.summary)], ['SUCCEEDED', NONE])
  const all = await run('all', { all: true })
  assert.deepEqual([all.status, counts(all.summary)], ['FAILED', { ...NONE, present: 4, failed: 1 }])
  const failed = all.summary.images.find(({ state }) => state === 'failed')!
  assert.match(failed.reason!, /the tag has 124 characters/)
  assert.equal(written().length, 3)
  assert.ok(!(signature in all.summary))

  const role = template.statements('states.amazonaws.com')
  const calls = [
    ...s3.calls,
    ...ecr.calls.map(({ action, repository }) => ({ action, resource: resourceOf(action, repository) })),
  ]
  for (const { action, resource } of calls) assert.ok(allows(functions, action, resource), `${action} on ${resource}`)
  const used = new Set(calls.map(({ action }) => action))
  const granted = functions.flatMap(({ actions }) => actions).filter((action) => /^(ecr|s3):/.test(action))
  assert.deepEqual(
    granted.filter((action) => !used.has(action)),
    [],
    'all that is allowed is used',
  )
  for (const { action, resource } of steps.calls) assert.ok(allows(role, action, resource), action)
  const bucket = s3.calls[0]!.resource.split('/')[0]!
  assert.ok(allows(role, 's3:GetObject', `${bucket}/runs/first/images.json`))
  assert.ok(!allows(role, 's3:GetObject', `${bucket}/runs/first/summary.json`))
  assert.match((await steps.invoke({ step: 'other', run: 'x' })).failure!.errorMessage, /not a step/)
})

/** Images of a run: moto's maps of several thousand do not end. */
const RUN = 1000

test('killed half-way and run again, every image is converted once', async (t) => {
  const IMAGES = Number(process.env.SOCIABLE_TEST_BACKFILL ?? 12)
  const repositories = Array.from({ length: Math.max(3, Math.ceil(IMAGES / 100)) }, (_, i) => `app${i}`)
  const world = await start(t, repositories, CONSTRUCT.replace("'app:*'", "'app*:*'"))
  if (world === undefined) return
  const { run, start: begin, end, written, store, steps, ecr } = world
  const stores = await Promise.all(repositories.map(store))
  for (let i = 0; i < IMAGES; i++) await pushSmall(stores[i % stores.length]!, `image-${i}`)
  let indexed = 0
  let stopped: Promise<unknown> | undefined
  const executions = MACHINE_ARN.replace(':stateMachine:', ':execution:')
  steps.instead = (event) => {
    const { step, run: name } = event as { step?: string; run?: string }
    if (step === 'index' && ++indexed === Math.ceil(IMAGES / 2))
      stopped = steps.call('StopExecution', { executionArn: `${executions}:${name}` })
    // What has not begun by then never does
    return stopped === undefined ? undefined : { errorType: 'Runtime.ExitError', errorMessage: 'signal: killed' }
  }
  await begin('killed', { limit: RUN })
  let status = await end('killed')
  for (let number = 1; status !== 'ABORTED' && number * RUN < IMAGES; number++) {
    await begin(`killed-${number}`, { limit: RUN })
    status = await end(`killed-${number}`)
  }
  assert.equal(status, 'ABORTED')
  await stopped
  steps.instead = undefined
  const before = written().length
  assert.ok(before > 0 && before < IMAGES, String(before))
  let done = new Set(written()).size
  for (let [number, left] = [1, IMAGES]; left > 0; number++) {
    const { status, summary } = await run(`next-${number}`, { limit: RUN })
    assert.deepEqual([status, summary.missing, summary.failed], ['SUCCEEDED', 0, 0])
    done += summary.indexed
    left = summary.left
  }
  assert.equal(done, IMAGES)
  assert.equal(written().length, IMAGES, 'none was converted twice')
  assert.equal(new Set(written()).size, IMAGES)
  for (const [i, store] of stores.entries()) {
    const own = Array.from({ length: IMAGES }, (_, n) => `image-${n}`).filter((_, n) => n % stores.length === i)
    assert.deepEqual(await tagsOf(store), own.flatMap((tag) => [tag, `${tag}-soci`]).sort())
  }
  t.diagnostic(
    `${IMAGES} images in ${stores.length} repositories, ${before} before the end: ${ecr.requests.length} requests`,
  )
})

test('what may pass is tried again; what does not ends with its reason, and the others go on', async (t) => {
  // By the function that is behind pushes and backfills in the template
  const world = await start(t, undefined, undefined, 'index.onPushHandler')
  if (world === undefined) return
  const { run, store, steps, ecr } = world
  const app = await store('app')
  for (const tag of ['killed', 'late', 'refused', 'sound']) await pushApp(app, tag)
  let late = 1
  steps.instead = (event) => {
    const { step, image } = event as { step?: string; image?: { tag: string } }
    if (step === 'index' && image?.tag === 'killed')
      return {
        errorType: 'Runtime.ExitError',
        errorMessage: 'RequestId: x Error: Runtime exited with error: signal: killed',
      }
    if (step === 'index' && image?.tag === 'late' && late-- > 0)
      return { errorType: 'StepError', errorMessage: 'answered 503' }
    return undefined
  }
  const { status, summary } = await run('faults')
  assert.equal(status, 'FAILED')
  assert.deepEqual(counts(summary), { ...NONE, indexed: 3, failed: 1 })
  assert.match(summary.images.find(({ state }) => state === 'failed')!.reason!, /ran out of memory/)
  steps.instead = undefined
  const mended = await run('mended')
  assert.deepEqual([mended.status, counts(mended.summary)], ['SUCCEEDED', { ...NONE, indexed: 1 }])
  assert.ok(ecr.calls.length > 0)

  for (const [input, message] of [
    [{ limit: 0 }, /limit is 0/],
    [{ limit: 10_001 }, /limit is 10001/],
    [{ all: 'yes' }, /all is "yes"/],
    [{ tags: [] }, /the input has tags/],
  ] as const) {
    const { failure } = await steps.invoke({ step: 'list', run: 'x', input })
    assert.match(failure!.errorMessage, message)
  }
})
