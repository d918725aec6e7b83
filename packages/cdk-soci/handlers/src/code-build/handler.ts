// The function behind the custom resource `Custom::SociIndex` where the work is done by CodeBuild.
import type { Build, CodeBuildClient } from '@aws-sdk/client-codebuild'
import { withAwsClient } from '../aws-client.js'
import { type Elsewhere, startOrAnswer } from '../elsewhere.js'
import { isObject, type Properties } from '../event.js'
import type { LambdaContext } from '../lambda.js'
import { log } from '../log.js'
import { readBuild } from './build-end.js'
import { EVENT_VARIABLE, packEvent } from './packed-event.js'

export async function codeBuildHandler(event: unknown, context: LambdaContext): Promise<void> {
  await startOrAnswer(event, context, codeBuild)
}

const codeBuild: Elsewhere = {
  name: 'CodeBuild',
  async start(event, context, signal) {
    const value = packEvent(event)
    const { StartBuildCommand } = await import('@aws-sdk/client-codebuild')
    const command = new StartBuildCommand({
      projectName: context.functionName, // the construct gives both one name
      idempotencyToken: event.RequestId,
      environmentVariablesOverride: [{ name: EVENT_VARIABLE, value, type: 'PLAINTEXT' }],
    })
    const { build } = await withClient((client) => client.send(command, { abortSignal: signal })).catch(roleIsNew)
    log('started', { build: build?.id })
  },
  endedBy(event) {
    if (event.source !== 'aws.codebuild' || !isObject(event.detail)) return undefined
    const { 'build-id': id } = event.detail as Properties
    return typeof id === 'string' ? id.slice(id.indexOf('/') + 1) : undefined // of its ARN
  },
  async readEnd(id, _, signal) {
    const { BatchGetBuildsCommand } = await import('@aws-sdk/client-codebuild')
    const command = new BatchGetBuildsCommand({ ids: [id] })
    const { builds } = await withClient((client) => client.send(command, { abortSignal: signal }))
    const [build] = builds ?? []
    if (build === undefined) throw new Error(`CodeBuild does not know the build ${id}`)
    return readBuild(build satisfies Build)
  },
}

async function withClient<Result>(use: (client: CodeBuildClient) => Promise<Result>): Promise<Result> {
  const { CodeBuildClient } = await import('@aws-sdk/client-codebuild')
  return await withAwsClient((options) => new CodeBuildClient(options), use)
}

/** A role that was made just before may not be assumed everywhere yet; CodeBuild calls that invalid input. */
function roleIsNew(error: unknown): never {
  if (error instanceof Error && error.name === 'InvalidInputException' && /sts:AssumeRole/.test(error.message))
    throw Object.assign(new Error(error.message, { cause: error }), { name: 'AccessDeniedException' })
  throw error
}
