// Lambda as an asynchronous invocation meets it: the asset in a folder of its own, a real Node, nothing else; an event that is not finished, because the
// process was killed or the handler threw, goes to the OnFailure destination, a function of the same code.
import { type ChildProcess, fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

export const ASSETS = fileURLToPath(new URL('../../../../../assets', import.meta.url))

export interface InvocationMessage {
  readonly event: unknown
  readonly context: object
  /** Milliseconds that it has. */
  readonly time: number
}

export type RuntimeMessage =
  | { readonly kind: 'ready'; readonly milliseconds: number }
  | { readonly kind: 'result'; readonly value: unknown }
  | { readonly kind: 'error'; readonly errorType: string; readonly errorMessage: string }

export interface LambdaOptions {
  /** Path of the Node that runs it. */
  readonly node: string
  /** Folder that it may write to, as Lambda's /tmp. @default none: the asset needs none */
  readonly temporary?: string
  /** Added to what Lambda itself sets. */
  readonly environment: Readonly<Record<string, string>>
  /** Folder of the asset. @default the package's `assets/handler` */
  readonly asset?: string
  /** `file.function`, as Lambda's `Handler`. @default 'index.handler' */
  readonly handler?: string
  /** MiB of the function; Node's heap gets no more than 512. @default 512 */
  readonly memory?: number
  /** MiB of Node's heap. @default 512, or the memory where that is less */
  readonly heap?: number
  /** Milliseconds of an invocation, as the handler is told. @default 60 s */
  readonly timeout?: number
  /** Milliseconds after which it is killed. @default the timeout */
  readonly killAfter?: number
}

export interface Invocation {
  /** What the handler returned; undefined where it did not. */
  readonly value?: unknown
  /** As Lambda words it, where it did not return. */
  readonly failure?: { readonly errorType: string; readonly errorMessage: string }
  /** What it printed. */
  readonly log: string
}

export interface Lambda {
  /**
   * One invocation; the process stays for the next, as Lambda's do, unless it died.
   * @param time milliseconds that the handler is told to have, in place of the function's time-out
   */
  invoke(event: unknown, time?: number): Promise<Invocation>
  /** As `invoke`, and what fails goes to the destination once. All invocations in order. */
  invokeAsync(event: unknown): Promise<readonly Invocation[]>
  /** Ends the process, in the middle of whatever it does: by SIGKILL, as where there is no memory left. */
  kill(signal?: 'SIGKILL' | 'SIGABRT'): void
  /** Milliseconds that the last process took to load the handler. */
  loadTime(): number
  /** All that was printed. */
  log(): string
}

/** Node's flags: it may read the task's folder only, write to its temporary folder or nothing, and start nothing but threads. */
function bareFlags(folder: string, temporary: string | undefined, heap: number): string[] {
  const writable = temporary === undefined ? [] : [`--allow-fs-read=${temporary}`, `--allow-fs-write=${temporary}`]
  return ['--permission', `--allow-fs-read=${folder}`, ...writable, '--allow-worker', `--max-old-space-size=${heap}`]
}

export function startLambda(t: TestContext, options: LambdaOptions): Lambda {
  const { node, environment, asset = join(ASSETS, 'handler'), handler = 'index.handler', memory = 512 } = options
  const { temporary } = options
  const { timeout = 60_000, killAfter = timeout, heap = Math.min(512, memory) } = options
  const folder = mkdtempSync(join(tmpdir(), 'lambda-'))
  const task = join(folder, 'task')
  cpSync(asset, task, { recursive: true })
  const runtime = join(folder, 'runtime.mjs')
  cpSync(fileURLToPath(new URL('./runtime.js', import.meta.url)), runtime)
  const [file, name = ''] = handler.split('.')
  let running: ChildProcess | undefined
  let loadTime = 0
  let log = ''
  t.after(() => {
    running?.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })

  const start = async (): Promise<ChildProcess> => {
    const child = fork(runtime, [join(task, `${file}.js`), name], {
      execPath: node,
      execArgv: bareFlags(folder, temporary, heap),
      cwd: task,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: {
        AWS_REGION: 'eu-west-1',
        AWS_LAMBDA_FUNCTION_NAME: 'indexer',
        LAMBDA_TASK_ROOT: task,
        ...(temporary && { TMPDIR: temporary }),
        ...environment,
      },
    })
    for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (chunk: Buffer) => (log += chunk))
    await new Promise<void>((resolve, reject) => {
      child.once('message', (message: RuntimeMessage) => {
        if (message.kind === 'ready') loadTime = message.milliseconds
        resolve()
      })
      child.once('exit', (code, signal) =>
        reject(new Error(`the handler could not be loaded (${code ?? signal}): ${log}`)),
      )
    })
    return child
  }

  const invoke = async (event: unknown, time = timeout): Promise<Invocation> => {
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) running = await start()
    const child = running
    const from = log.length
    const awsRequestId = randomUUID()
    const context = {
      functionName: 'indexer',
      invokedFunctionArn: 'arn:aws:lambda:eu-west-1:123456789012:function:indexer',
      awsRequestId,
      memoryLimitInMB: String(memory),
      logGroupName: '/aws/lambda/indexer',
      logStreamName: '2026/11/24/[$LATEST]0123',
    }
    const ended = await new Promise<Omit<Invocation, 'log'>>((resolve) => {
      const fail = (errorType: string, what: string) =>
        resolve({ failure: { errorType, errorMessage: `RequestId: ${awsRequestId} Error: ${what}` } })
      const timer = setTimeout(() => {
        child.kill('SIGKILL')
        fail('Sandbox.Timedout', `Task timed out after ${(timeout / 1000).toFixed(2)} seconds`)
      }, killAfter)
      child.once('message', (message: RuntimeMessage) => {
        clearTimeout(timer)
        if (message.kind === 'error') resolve({ failure: message })
        else resolve({ value: message.kind === 'result' ? message.value : undefined })
      })
      child.once('exit', (_, signal) => {
        clearTimeout(timer)
        fail('Runtime.ExitError', `Runtime exited with error: signal: ${signal === 'SIGKILL' ? 'killed' : 'aborted'}`)
      })
      child.send({ event, context, time } satisfies InvocationMessage)
    })
    child.removeAllListeners('message')
    child.removeAllListeners('exit')
    if (ended.failure !== undefined) {
      child.kill('SIGKILL')
      running = undefined
    }
    await new Promise((resolve) => setTimeout(resolve, 20)) // what it printed last is on its way
    return { ...ended, log: log.slice(from) }
  }

  return {
    invoke,
    async invokeAsync(event) {
      const first = await invoke(event)
      if (first.failure === undefined) return [first]
      return [first, await invoke(failureRecord(event, first.failure))]
    },
    kill: (signal = 'SIGKILL') => void running?.kill(signal),
    loadTime: () => loadTime,
    log: () => log,
  }
}

/** As Lambda tells a destination ("Capturing records of Lambda asynchronous invocations" in its developer guide). */
export function failureRecord(event: unknown, failure: object, condition = 'RetriesExhausted'): object {
  return {
    version: '1.0',
    timestamp: new Date().toISOString(),
    requestContext: {
      requestId: randomUUID(),
      functionArn: 'arn:aws:lambda:eu-west-1:123456789012:function:indexer:$LATEST',
      condition,
      approximateInvokeCount: 1,
    },
    requestPayload: event,
    responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
    responsePayload: failure,
  }
}
