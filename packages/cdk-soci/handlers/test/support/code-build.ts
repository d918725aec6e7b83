// CodeBuild as its API and EventBridge show it ("StartBuild" and "BatchGetBuilds" in its API reference, "Build notifications input format reference" in its
// user guide). A build's commands run in a real shell, in a folder with the source; what a real one won't do when asked can be had as well.
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Listening } from '../../../../oci/dist/test/doubles/listen.js'
import { doubles } from './cloud.js'
import { FUNCTION_NAME, type Resource } from './template.js'

/**
 * What becomes of builds: `run`; `refuse`, with the account's quota; `never`: none has a machine before the queue's time is over; `stop` and `timeout`: while
 * the commands run; `fault`: of CodeBuild's own; `kill`: the commands' process is killed, as for lack of memory; `role`: the role is too new for two calls.
 */
export type Fate = 'run' | 'refuse' | 'never' | 'stop' | 'timeout' | 'fault' | 'kill' | 'role'

export interface CodeBuildOptions {
  /** `AWS::CodeBuild::Project`, resolved. */
  readonly project: Resource
  /** Folder of the source. */
  readonly source: string
  /** Path of the Node that the image has. */
  readonly node: string
  readonly environment: Readonly<Record<string, string>>
}

export interface CodeBuild extends Listening {
  fate: Fate
  /** What was called, as IAM knows it. */
  readonly calls: { readonly action: string; readonly resource: string }[]
  /** The end of the next build, as EventBridge tells it. */
  nextEnd(): Promise<object>
  /** All that builds printed. */
  log(): string
  /** Whether it knows a build. */
  readonly builds: ReadonlyMap<string, BuildState>
}

interface Variable {
  readonly name: string
  readonly value: string
}

interface BuildState {
  readonly id: string
  buildStatus: string
  phases: object[]
  exported: Variable[]
  readonly variables: readonly Variable[]
}

/** Milliseconds for a build to end. */
const PATIENCE = 120_000
const PROJECT_ARN = `arn:aws:codebuild:eu-west-1:123456789012:project/${FUNCTION_NAME}`

export async function startCodeBuild(t: TestContext, options: CodeBuildOptions): Promise<CodeBuild> {
  const { listen } = await doubles()
  const { project } = options
  const { Name, Source, TimeoutInMinutes, QueuedTimeoutInMinutes, LogsConfig } = project.Properties
  const spec = JSON.parse(Source.BuildSpec) as BuildSpec
  const builds = new Map<string, BuildState>()
  const tokens = new Map<string, string>()
  const calls: CodeBuild['calls'] = []
  const ended: object[] = []
  const waiting: ((event: object) => void)[] = []
  let log = ''
  let refusals = 0

  const describe = ({ id, buildStatus, phases, exported, variables }: BuildState) => ({
    id,
    arn: `arn:aws:codebuild:eu-west-1:123456789012:build/${id}`,
    projectName: Name,
    buildStatus,
    phases,
    environment: { environmentVariables: variables.map((variable) => ({ ...variable, type: 'PLAINTEXT' })) },
    exportedEnvironmentVariables: exported,
    timeoutInMinutes: TimeoutInMinutes,
    queuedTimeoutInMinutes: QueuedTimeoutInMinutes,
    logs: { groupName: LogsConfig.CloudWatchLogs.GroupName, streamName: id.split(':')[1] },
  })

  const end = (build: BuildState, buildStatus: string, ...phases: object[]): void => {
    Object.assign(build, { buildStatus, phases })
    const event = {
      version: '0',
      id: randomUUID(),
      'detail-type': 'CodeBuild Build State Change',
      source: 'aws.codebuild',
      account: '123456789012',
      region: 'eu-west-1',
      resources: [describe(build).arn],
      detail: { 'build-status': buildStatus, 'project-name': Name, 'build-id': describe(build).arn },
    }
    const next = waiting.shift()
    if (next === undefined) ended.push(event)
    else next(event)
  }

  const run = async (build: BuildState): Promise<void> => {
    const queued = { phaseType: 'QUEUED', phaseStatus: 'SUCCEEDED' }
    if (self.fate === 'never') return end(build, 'TIMED_OUT', { phaseType: 'QUEUED', phaseStatus: 'TIMED_OUT' })
    if (self.fate === 'fault') {
      const contexts = [{ statusCode: 'INTERNAL_SERVICE_ERROR', message: 'CodeBuild is experiencing an issue' }]
      return end(build, 'FAULT', queued, { phaseType: 'PROVISIONING', phaseStatus: 'FAULT', contexts })
    }
    const shell = await runCommands({ ...options, spec, build, cut: cutOf(self.fate) })
    log += shell.output
    build.exported = shell.exported
    const cut = self.fate === 'stop' ? 'STOPPED' : self.fate === 'timeout' ? 'TIMED_OUT' : undefined
    if (cut !== undefined) return end(build, cut, queued, { phaseType: 'BUILD', phaseStatus: cut })
    if (shell.failed === undefined)
      return end(build, 'SUCCEEDED', queued, { phaseType: 'BUILD', phaseStatus: 'SUCCEEDED' })
    const { command, status } = shell.failed
    const message = `Error while executing command: ${command}. Reason: exit status ${status}`
    const contexts = [{ statusCode: 'COMMAND_EXECUTION_ERROR', message }]
    end(build, 'FAILED', queued, { phaseType: 'BUILD', phaseStatus: 'FAILED', contexts })
  }

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = []
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
    const action = String(request.headers['x-amz-target']).split('.')[1]
    const input = JSON.parse(Buffer.concat(chunks).toString())
    calls.push({ action: `codebuild:${action}`, resource: PROJECT_ARN })
    const reply = (status: number, body: object): void => {
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body))
    }
    const refuse = (__type: string, message: string): void => reply(400, { __type, message })
    if (action === 'BatchGetBuilds') {
      const found = (input.ids as string[]).flatMap((id) => builds.get(id) ?? [])
      return reply(200, { builds: found.map(describe), buildsNotFound: [] })
    }
    if (action !== 'StartBuild' || input.projectName !== Name)
      return refuse('ResourceNotFoundException', `Project cannot be found: ${PROJECT_ARN}`)
    if (self.fate === 'refuse')
      return refuse('AccountLimitExceededException', 'Cannot have more than 1 builds in queue for the account')
    if (self.fate === 'role' && refusals++ < 2)
      return refuse('InvalidInputException', 'CodeBuild is not authorized to perform: sts:AssumeRole on service role')
    const variables = input.environmentVariablesOverride as Variable[]
    if (variables.reduce((sum, { name, value }) => sum + name.length + value.length, 0) > 5_500)
      return refuse('InvalidInputException', 'Environment variables are too long')
    const known = builds.get(tokens.get(input.idempotencyToken) ?? '')
    if (known !== undefined) return reply(200, { build: describe(known) })
    const id = `${Name}:${randomUUID()}`
    const build: BuildState = { id, buildStatus: 'IN_PROGRESS', phases: [], exported: [], variables }
    builds.set(id, build)
    tokens.set(input.idempotencyToken, id)
    reply(200, { build: describe(build) })
    void run(build)
  }

  const listening = await listen(answer)
  t.after(() => listening.close())
  const self: CodeBuild = {
    ...listening,
    fate: 'run',
    calls,
    builds,
    nextEnd: () =>
      new Promise((resolve, reject) => {
        const event = ended.shift()
        if (event !== undefined) return resolve(event)
        const timer = setTimeout(() => reject(new Error('no build ended, or none was started')), PATIENCE)
        waiting.push((event) => {
          clearTimeout(timer)
          resolve(event)
        })
      }),
    log: () => log,
  }
  return self
}

interface BuildSpec {
  readonly env: { readonly 'exported-variables': readonly string[] }
  readonly phases: { readonly build: { readonly commands: readonly string[] } }
}

/** What ends the commands early. */
function cutOf(fate: Fate): 'now' | 'node' | undefined {
  if (fate === 'kill') return 'node'
  return fate === 'stop' || fate === 'timeout' ? 'now' : undefined
}

interface Commands extends CodeBuildOptions {
  readonly spec: BuildSpec
  readonly build: BuildState
  readonly cut: 'now' | 'node' | undefined
}

interface Shell {
  readonly output: string
  readonly exported: Variable[]
  readonly failed: { readonly command: string; readonly status: number } | undefined
}

/** Runs the commands in one shell, up to the first that fails; what it exported then is told, too. */
async function runCommands({ spec, build, source, node, environment, cut }: Commands): Promise<Shell> {
  const folder = mkdtempSync(join(tmpdir(), 'build-'))
  try {
    cpSync(source, join(folder, 'src'), { recursive: true })
    const { commands } = spec.phases.build
    const lines = commands.map(
      (command, i) => `echo ${i} > ../at\n${command}\nstatus=$?; [ $status = 0 ] || exit $status`,
    )
    const exports = spec.env['exported-variables'].map((name) => `printf '%s' "\${${name}-}" > ../exported.${name}`)
    const kill = cut === 'node' ? 'node() { command node -e "process.kill(process.pid, \'SIGKILL\')"; }\n' : ''
    writeFileSync(
      join(folder, 'run.sh'),
      `trap '${exports.join('; ').replaceAll("'", `'\\''`)}' EXIT\n${kill}${lines.join('\n')}\n`,
    )
    const variables = Object.fromEntries(build.variables.map(({ name, value }) => [name, value]))
    const shell = spawn('sh', [join(folder, 'run.sh')], {
      cwd: join(folder, 'src'),
      env: {
        PATH: `${dirname(node)}:/usr/bin:/bin`,
        HOME: folder,
        AWS_REGION: 'eu-west-1',
        ...environment,
        ...variables,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    let output = ''
    for (const stream of [shell.stdout, shell.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk))
    if (cut === 'now') setTimeout(() => process.kill(-shell.pid!, 'SIGKILL'), 150)
    const status = await new Promise<number>((resolve) => shell.once('close', (code) => resolve(code ?? 137)))
    const read = (name: string): string | undefined => {
      try {
        return readFileSync(join(folder, name), 'utf8')
      } catch {
        return undefined
      }
    }
    const exported = spec.env['exported-variables'].flatMap((name) => {
      const value = read(`exported.${name}`)
      return value === undefined ? [] : [{ name, value }]
    })
    const command = commands[Number(read('at') ?? 0)]!
    return { output, exported, failed: status === 0 ? undefined : { command, status } }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
