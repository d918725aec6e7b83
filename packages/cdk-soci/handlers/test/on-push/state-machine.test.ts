// Images that are too large for one function: pushes handed to the state machine that `SociIndexOnPush` makes, interpreted, with the function as it ships
// behind the queue and behind each step.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { convert, inspect } from 'sociable'
import type { BatchAnswer } from '../../src/on-push/batch.js'
import { type Cloud, doubles, STORAGE_HOST, startCloud } from '../support/cloud.js'
import { pushApp, tagsOf } from '../support/images.js'
import type { Invocation } from '../support/lambda.js'
import { ensureNode } from '../support/nodes.js'
import { linesOf, pushed } from '../support/on-push.js'
import { type Queue, startQueue } from '../support/sqs.js'
import { MACHINE_ARN, type StepFunctions, startStepFunctions } from '../support/step-functions.js'
import { synthesizeConstruct } from '../support/template.js'

const CONSTRUCT = `new soci.SociIndexOnPush(stack, 'OnPush', { minLayerSize: 0, spanSize: 4096 })`
const OPTIONS = { minLayerSize: 0, spanSize: 4096 }

interface World extends Cloud {
  readonly steps: StepFunctions
  readonly queue: Queue
  /** Lets the function work on what is in the queue, once. @param time milliseconds that it is told to have */
  work(time?: number): Promise<Invocation>
  /** Names of the executions, in order. */
  executions(): Promise<string[]>
  /** Waits for an execution's end, and sends EventBridge's event of it to the queue. */
  finish(name: string): Promise<void>
}

/** @param above compressed bytes from which an image goes to the state machine */
async function start(t: TestContext, above: number): Promise<World | undefined> {
  const node = await ensureNode(t, '24')
  const template = await synthesizeConstruct(t, CONSTRUCT)
  if (node === undefined || template === undefined) return undefined
  const cloud = await startCloud(t)
  const queue = await startQueue(t)
  const { Handler, Environment } = template.resource('AWS::Lambda::Function').Properties
  const { SOCI_STATE_MACHINE, SOCI_STATE_MACHINE_ABOVE, ...environment } = Environment.Variables
  assert.ok(SOCI_STATE_MACHINE !== undefined && Number(SOCI_STATE_MACHINE_ABOVE) > 1e9)
  const machine = template.resource('AWS::StepFunctions::StateMachine')
  const { DefinitionString } = machine.Properties // its name is made of the stack's id
  const steps = await startStepFunctions(
    t,
    { ...machine, Properties: { DefinitionString } },
    {
      node,
      environment: {
        ...cloud.environment,
        ...environment,
        ...queue.environment,
        SOCI_STATE_MACHINE: MACHINE_ARN,
        SOCI_STATE_MACHINE_ABOVE: String(above),
      },
      asset: template.asset,
      handler: Handler,
      timeout: 900_000,
      killAfter: 120_000,
    },
  )
  if (steps === undefined) return undefined
  return {
    ...cloud,
    steps,
    queue,
    async work(time) {
      const Records = queue.receive(10)
      const invocation = await steps.invoke({ Records }, time)
      if (invocation.failure === undefined) queue.settle(Records, invocation.value as BatchAnswer)
      return invocation
    },
    async executions() {
      const { executions } = (await steps.call('ListExecutions', { stateMachineArn: MACHINE_ARN })) as {
        executions: { name: string; startDate: number }[]
      }
      return executions.sort((a, b) => a.startDate - b.startDate).map(({ name }) => name)
    },
    async finish(name) {
      queue.send(await steps.end(name))
    },
  }
}

const told = ({ queue }: World) => queue.events.map(({ type, detail }) => [type, detail['image-tag'], detail.indexed])

test('an image above the limit goes through the state machine once, however often its push is told', async (t) => {
  const world = await start(t, 1000)
  if (world === undefined) return
  const { steps, queue, store, work, executions, finish } = world
  const app = await store('app')
  const image = await pushApp(app, 'one')
  queue.send(pushed(image, 'one'))
  queue.send(pushed(image, 'one'))
  const { value } = await work()
  assert.deepEqual(value, { batchItemFailures: [] }, steps.log())
  const names = await executions()
  assert.equal(names.length, 1)
  assert.match(names[0]!, new RegExp(`^push-${image.digest.slice(7, 19)}-[0-9a-f]{32}-1$`))
  await finish(names[0]!)
  assert.deepEqual(
    steps.invocations.map(({ step }) => step).filter((step) => step !== ''),
    ['plan', 'layer', 'layer', 'assemble'],
  )
  assert.deepEqual(told(world), [], 'its end is told when EventBridge tells it')
  await work()
  assert.deepEqual(told(world), [['SOCI Index Ready', 'one', true]])
  const { detail } = queue.events[0]!
  const made = await app.resolve('one-soci')
  assert.deepEqual([detail['output-tag'], detail['output-digest']], ['one-soci', made.digest])
  assert.ok(Number(detail.bytes) > 50_000 && Number(detail.seconds) > 0, JSON.stringify(detail))
  assert.deepEqual((await inspect({ store: app, reference: 'one-soci' })).images[0]!.problems, [])
  const other = await store('other')
  const inOneGo = await convert({ store: app, reference: 'one' }, { store: other, reference: 'v' }, OPTIONS)
  assert.equal(made.digest, inOneGo.digest)

  // Once more: the result is there, so nothing is handed over
  queue.send(pushed(image, 'one'))
  await work()
  assert.equal((await executions()).length, 1)
  assert.deepEqual(told(world).length, 2)
  assert.deepEqual([queue.deadLetters, queue.clock()], [[], 0])
})

test('an image whose time runs out is handed over, and one below the limit is not', async (t) => {
  const world = await start(t, 1e9)
  if (world === undefined) return
  const { steps, queue, store, work, executions, finish, names } = world
  const app = await store('app')
  const small = await pushApp(app, 'small')
  queue.send(pushed(small, 'small'))
  await work()
  assert.deepEqual([told(world), await executions()], [[['SOCI Index Ready', 'small', true]], []])
  const slow = await pushApp(app, 'slow')
  // Its layers take longer than the function has
  const storage = names.get(STORAGE_HOST)!
  const { startLink } = await doubles()
  const link = await startLink({ target: storage, bytesPerSecond: 4000, latency: 0 })
  t.after(() => link.close())
  names.set(STORAGE_HOST, link.host)
  queue.send(pushed(slow, 'slow'))
  const { value, log } = await work(14_000)
  assert.deepEqual(value, { batchItemFailures: [] }, log)
  assert.ok(linesOf(log).some(({ message }) => message === 'the function has no time left for this image'))
  names.set(STORAGE_HOST, storage)
  const [name, ...others] = await executions()
  assert.deepEqual(others, [])
  await finish(name!)
  await work()
  assert.deepEqual(told(world).at(-1), ['SOCI Index Ready', 'slow', true])
  assert.ok(steps.invocations.some(({ step }) => step === 'assemble'))
})

test('an execution that failed is told with its reason, and the next push of the image starts another, five at most', async (t) => {
  const world = await start(t, 1000)
  if (world === undefined) return
  const { steps, queue, store, work, executions, finish } = world
  const app = await store('app')
  const image = await pushApp(app, 'one')
  steps.instead = ({ step }) =>
    step === 'layer' ? { errorType: 'Runtime.ExitError', errorMessage: 'signal: killed' } : undefined
  for (let number = 1; number <= 5; number++) {
    queue.send(pushed(image, 'one'))
    await work()
    const all = await executions()
    assert.equal(all.length, number)
    assert.ok(all.at(-1)!.endsWith(`-${number}`), all.join())
    await finish(all.at(-1)!)
    await work()
    assert.equal(queue.events.length, number)
    assert.equal(queue.events.at(-1)!.type, 'SOCI Index Failed')
  }
  assert.match(String(queue.events[0]!.detail.reason), /memory.*\(execution arn:aws:states:/)
  assert.deepEqual(await tagsOf(app), ['one'])
  queue.send(pushed(image, 'one'))
  await work()
  assert.equal((await executions()).length, 5)
  assert.match(queue.deadLetters.at(-1)!.reason!, /5 executions of the state machine have ended without a result/)
})

test('the end of an execution for an image that was deleted, or whose tag has moved', async (t) => {
  const world = await start(t, 1000)
  if (world === undefined) return
  const { queue, store, work, executions, finish, steps } = world
  const app = await store('app')
  const first = await pushApp(app, 'latest', 'first')
  const second = await pushApp(app, 'second')
  let moved: Promise<void> | undefined
  steps.instead = ({ step }) => {
    if (step === 'assemble' && moved === undefined) moved = app.tag(second, 'latest')
    return undefined
  }
  queue.send(pushed(first, 'latest'))
  await work()
  await finish((await executions())[0]!)
  await moved
  const { log } = await work()
  // The state machine leaves it, as the tag is another's by then; its own push comes
  assert.ok(
    linesOf(log).some(({ message, reason }) => message === 'left' && /names sha256:\w+ by now/.test(`${reason}`)),
  )
  assert.deepEqual([queue.events, await tagsOf(app)], [[], ['latest', 'second']])
  queue.send(pushed(second, 'latest'))
  await work()
  await finish((await executions()).at(-1)!)
  await work()
  assert.deepEqual(told(world), [['SOCI Index Ready', 'latest', true]])

  const gone = await pushApp(app, 'gone')
  steps.instead = ({ step }) =>
    step === 'layer' ? { errorType: 'Runtime.ExitError', errorMessage: 'signal: killed' } : undefined
  queue.send(pushed(gone, 'gone'))
  await work()
  const before = queue.events.length
  queue.send(await steps.end((await executions()).at(-1)!))
  await app.untag!('gone')
  await app.delete!(gone)
  assert.ok(linesOf((await work()).log).some(({ reason }) => reason === 'the image was deleted after the push'))
  assert.deepEqual([queue.events.length, queue.deadLetters], [before, []])
})
