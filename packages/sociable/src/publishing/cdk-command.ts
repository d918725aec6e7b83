// The CDK CLI builds and pushes images: it knows builders, caches and roles.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { CallOptions } from '../options.js'
import { PublishError } from './publish-error.js'

/** A program and its first arguments. */
export interface CdkCommand {
  readonly file: string
  readonly args: readonly string[]
}

/**
 * The CDK CLI of the project in `folder`, else of the path. On Windows it is started by Node, because `cdk.cmd` needs a shell.
 * @param isFile for tests
 */
export function findCdk(
  folder: string,
  platform: NodeJS.Platform,
  path: string,
  isFile: (file: string) => boolean = existsSync,
): CdkCommand {
  const script = localCdk(folder)
  if (script !== undefined) return { file: process.execPath, args: [script] }
  if (platform !== 'win32') return { file: 'cdk', args: [] }
  const scripts = path.split(';').map((each) => `${each}\\node_modules\\aws-cdk\\bin\\cdk`)
  const global = scripts.find(isFile)
  if (global !== undefined) return { file: process.execPath, args: [global] }
  throw new PublishError('CDK_FAILED', 'the CDK CLI was not found: install it with `npm install --save-dev aws-cdk`')
}

function localCdk(folder: string): string | undefined {
  try {
    return join(dirname(createRequire(join(folder, 'package.json')).resolve('aws-cdk/package.json')), 'bin', 'cdk')
  } catch {
    return undefined
  }
}

export interface PublishAssetsOptions extends CallOptions {
  readonly profile?: string | undefined
  readonly region?: string | undefined
}

/** The arguments of `cdk publish-assets` for these stacks only. */
export function publishAssetsArguments(
  assembly: string,
  stacks: readonly string[],
  { profile, region }: PublishAssetsOptions,
): string[] {
  return [
    'publish-assets',
    ...stacks,
    '--unstable=publish-assets',
    '--app',
    assembly,
    '--exclusively',
    ...(profile === undefined ? [] : ['--profile', profile]),
    ...(region === undefined ? [] : ['--region', region]),
  ]
}

/** Runs it to its end; what it prints goes to our stderr. @throws PublishError CDK_FAILED */
export async function runCdk(
  { file, args }: CdkCommand,
  more: readonly string[],
  { signal }: CallOptions,
): Promise<void> {
  signal?.throwIfAborted()
  const child = spawn(file, [...args, ...more], { stdio: ['ignore', process.stderr, process.stderr] })
  const abort = () => child.kill('SIGTERM')
  signal?.addEventListener('abort', abort, { once: true })
  try {
    const [status, killed] = await new Promise<[number | null, string | null]>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (...ended) => resolve(ended))
    })
    signal?.throwIfAborted()
    if (status !== 0)
      throw new PublishError(
        'CDK_FAILED',
        `\`cdk publish-assets\` ended with ${killed ?? `status ${status}`}: no image was indexed. Its messages are above`,
      )
  } catch (cause) {
    signal?.throwIfAborted()
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'ENOENT')) throw cause
    throw new PublishError(
      'CDK_FAILED',
      'the CDK CLI was not found: install it with `npm install --save-dev aws-cdk`, or publish the images yourself and pass --skip-build',
      { cause },
    )
  } finally {
    signal?.removeEventListener('abort', abort)
  }
}
