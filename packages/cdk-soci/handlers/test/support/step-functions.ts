// Step Functions by moto, which interprets the state machine, distributed map and all, and has its API; and Lambda's API, by which it invokes the function.
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { createInterface } from 'node:readline'
import { after, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { doubles } from './cloud.js'
import { type Invocation, type Lambda, type LambdaOptions, startLambda } from './lambda.js'
import { answerS3, type Files } from './s3.js'
import { FUNCTION_NAME, type Resource } from './template.js'

const FUNCTION_ARN = `arn:aws:lambda:eu-west-1:123456789012:function:${FUNCTION_NAME}`
export const MACHINE_ARN = `arn:aws:states:eu-west-1:123456789012:stateMachine:${FUNCTION_NAME}`

/** Its server, on a free port that it prints; what it asks of Lambda it asks of the port given. */
const SERVER = `
import os, sys
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server
os.environ['MOTO_PORT'] = sys.argv[1]
server = make_server('127.0.0.1', 0, DomainDispatcherApplication(create_backend_app), threaded=True)
print(server.server_port, flush=True)
server.serve_forever()
`

export interface StepFunctions {
  readonly url: string
  /** How functions are made, each time that one more is needed at the same time. */
  function: Omit<LambdaOptions, 'environment'> & { environment: Record<string, string> }
  /** Answers in the function's place, where it does. */
  instead: ((event: { readonly step?: string }) => Invocation['failure'] | undefined) | undefined
  /** What was called, as IAM knows it. */
  readonly calls: { readonly action: string; readonly resource: string }[]
  /** Invocations by the state machine, with the bytes that came back. */
  readonly invocations: readonly { readonly step: string; readonly function: number; size?: number }[]
  /** The end of the execution, as EventBridge tells it. */
  end(name: string): Promise<object>
  /** Invokes the function as CloudFormation and EventBridge do. */
  invokeAsync(event: unknown): Promise<readonly Invocation[]>
  /** Invokes the function once, as the state machine does. @param time milliseconds that it is told to have, in place of its time-out */
  invoke(event: unknown, time?: number): Promise<Invocation>
  /** Calls its API. */
  call(action: string, input: object): Promise<Record<string, unknown>>
  /** All that functions printed. */
  log(): string
}

/**
 * Undefined, the test skipped, where there is no moto; under CI that fails.
 * @param files what S3 has, for a state machine that reads it
 */
export async function startStepFunctions(
  t: TestContext,
  machine: Resource,
  lambda: Omit<LambdaOptions, 'environment'> & { environment: Record<string, string> },
  files: Files = new Map(),
): Promise<StepFunctions | undefined> {
  const python = await ensureMoto(t)
  if (python === undefined) return undefined
  const { listen } = await doubles()
  const idle: { readonly lambda: Lambda; readonly number: number }[] = []
  const all: Lambda[] = []
  const calls: StepFunctions['calls'] = []
  const invocations: { step: string; function: number; size?: number }[] = []

  const withFunction = async <Result>(use: (lambda: Lambda, number: number) => Promise<Result>): Promise<Result> => {
    const one = idle.pop() ?? { lambda: startLambda(t, self.function), number: all.length }
    if (!all.includes(one.lambda)) all.push(one.lambda)
    try {
      return await use(one.lambda, one.number)
    } finally {
      idle.push(one)
    }
  }

  const moto = await startMoto(python)
  moto.files = files
  moto.invoke = async (event) => {
    calls.push({ action: 'lambda:InvokeFunction', resource: FUNCTION_ARN })
    const failure = self.instead?.(event)
    if (failure !== undefined) return { failure }
    return await withFunction(async (lambda, number) => {
      const invocation: (typeof invocations)[number] = { step: event.step ?? '', function: number }
      invocations.push(invocation)
      const ended = await lambda.invoke(event)
      invocation.size = Buffer.byteLength(JSON.stringify(ended.value ?? null))
      return ended
    })
  }

  const call = async (action: string, input: object): Promise<Record<string, unknown>> => {
    const response = await fetch(moto.url, {
      method: 'POST',
      headers: {
        ...AUTHORIZATION,
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': `AWSStepFunctions.${action}`,
      },
      body: JSON.stringify(input),
    })
    const body = (await response.json()) as Record<string, unknown>
    if (!response.ok) throw new Error(`${action}: ${response.status} ${JSON.stringify(body)}`)
    return body
  }
  // What the function asks of Step Functions passes by here, to be written down
  const api = await listen(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
    const body = Buffer.concat(chunks)
    const action = String(request.headers['x-amz-target']).split('.')[1]!
    const { stateMachineArn, executionArn } = JSON.parse(body.toString())
    calls.push({ action: `states:${action}`, resource: stateMachineArn ?? executionArn })
    const answer = await fetch(moto.url, {
      method: 'POST',
      headers: {
        ...AUTHORIZATION,
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': `AWSStepFunctions.${action}`,
      },
      body,
    })
    response
      .writeHead(answer.status, {
        'content-type': 'application/x-amz-json-1.0',
        'x-amzn-requestid': randomUUID(), // moto's answers have none
      })
      .end(Buffer.from(await answer.arrayBuffer()))
  })
  t.after(() => api.close())

  const { StateMachineName = FUNCTION_NAME, DefinitionString } = machine.Properties
  const roleArn = 'arn:aws:iam::123456789012:role/states'
  await call('DeleteStateMachine', { stateMachineArn: MACHINE_ARN }).catch(() => {}) // of the test before
  await call('CreateStateMachine', { name: StateMachineName, definition: DefinitionString, roleArn })

  const self: StepFunctions = {
    url: api.url,
    function: { ...lambda, environment: { ...lambda.environment, AWS_ENDPOINT_URL_SFN: api.url } },
    instead: undefined,
    calls,
    invocations,
    call,
    async end(name) {
      const executionArn = `${MACHINE_ARN.replace(':stateMachine:', ':execution:')}:${name}`
      for (;;) {
        const { status } = await call('DescribeExecution', { executionArn })
        if (status !== 'RUNNING') return endOf(executionArn, status)
        await sleep(50)
      }
    },
    invoke: (event, time) => withFunction((lambda) => lambda.invoke(event, time)),
    invokeAsync: (event) => withFunction((lambda) => lambda.invokeAsync(event)),
    log: () => all.map((lambda) => lambda.log()).join(''),
  }
  return self
}

interface Moto {
  readonly url: string
  /** What Lambda's API does. */
  invoke(event: { readonly step?: string }): Promise<Pick<Invocation, 'value' | 'failure'>>
  files: Files
}

let running: Promise<Moto> | undefined
let stop = async (): Promise<void> => {}
after(() => stop())

/** One for all tests of a file, one after the other: it takes seconds to start. */
function startMoto(python: string): Promise<Moto> {
  running ??= start()
  return running

  async function start(): Promise<Moto> {
    const { listen } = await doubles()
    const lambdaApi = await listen(async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
      if (!request.url!.includes('/functions/')) return answerS3(self.files, request, response, Buffer.concat(chunks))
      if (!decodeURIComponent(request.url!).endsWith(`${FUNCTION_ARN}/invocations`)) {
        response.writeHead(404, { 'x-amzn-errortype': 'ResourceNotFoundException' }).end('{"Message":"not found"}')
        return
      }
      const { value = null, failure } = await self.invoke(JSON.parse(Buffer.concat(chunks).toString()))
      const { errorType, errorMessage } = failure ?? {}
      response.writeHead(200, {
        'content-type': 'application/json',
        ...(failure !== undefined && { 'x-amz-function-error': 'Unhandled' }),
      })
      response.end(JSON.stringify(failure === undefined ? value : { errorType, errorMessage }))
    })
    const server = spawn(python, ['-c', SERVER, lambdaApi.host.split(':')[1]!], {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { PATH: process.env.PATH, HOME: process.env.HOME },
    })
    stop = async () => {
      server.kill('SIGKILL')
      await lambdaApi.close()
    }
    const port = await new Promise<string>((resolve, reject) => {
      createInterface(server.stdout).once('line', resolve)
      server.once('exit', (code) => reject(new Error(`moto ended with ${code}`)))
    })
    const url = `http://127.0.0.1:${port}`
    const config = '{"stepfunctions":{"execute_state_machine":true}}'
    await fetch(`${url}/moto-api/config`, { method: 'POST', body: config })
    const self: Moto = {
      url,
      files: new Map(),
      invoke: async () => {
        throw new Error('no test is there to be invoked by')
      },
    }
    return self
  }
}

/** moto does not look whether it is right. */
const AUTHORIZATION = {
  authorization:
    'AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20261124/eu-west-1/states/aws4_request, SignedHeaders=host, Signature=0',
}

function endOf(executionArn: string, status: unknown): object {
  return {
    version: '0',
    source: 'aws.states',
    'detail-type': 'Step Functions Execution Status Change',
    account: '123456789012',
    region: 'eu-west-1',
    resources: [executionArn],
    detail: { executionArn, stateMachineArn: MACHINE_ARN, status },
  }
}

async function ensureMoto(t: TestContext): Promise<string | undefined> {
  const tools = new URL('../../../../../../../scripts/tools.mjs', import.meta.url).href
  const { ensureModule } = (await import(tools)) as { ensureModule(name: string): string }
  try {
    return ensureModule('moto')
  } catch (error) {
    if (process.env.CI === 'true') throw error
    t.skip((error as Error).message)
    return undefined
  }
}
