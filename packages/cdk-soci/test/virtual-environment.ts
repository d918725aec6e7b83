// A fresh Python environment with our wheel and PyPI's aws-cdk-lib.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { pathToFileURL } from 'node:url'
import { PACKAGE, run, WORKSPACE } from './workplace.js'

/** A Python of its own. */
export interface VirtualEnvironment {
  readonly folder: string
  /** Its interpreter. */
  readonly path: string
  /** The wheel that was installed. */
  readonly wheel: string
}

let made: Promise<VirtualEnvironment> | undefined

/** The environment of this process, made at the first call. Where it cannot be had the test is skipped, and fails under CI=true. */
export async function virtualEnvironment(t: TestContext): Promise<VirtualEnvironment | undefined> {
  try {
    made ??= make()
    return await made
  } catch (error) {
    if (process.env.CI === 'true') throw error
    t.skip(`a Python environment cannot be had: ${(error as Error).message.trim().split('\n').at(-1)}`)
    return undefined
  }
}

/** For after the last test. */
export async function removeVirtualEnvironment(): Promise<void> {
  const environment = await made?.catch(() => undefined)
  if (environment !== undefined) rmSync(environment.folder, { recursive: true, force: true })
}

/** Packs the wheel first where there is none of what is built. */
async function make(): Promise<VirtualEnvironment> {
  const packaging = (await import(pathToFileURL(join(PACKAGE, 'scripts', 'package.mjs')).href)) as {
    ensureWheel(): string
  }
  const wheel = packaging.ensureWheel()
  const folder = mkdtempSync(join(tmpdir(), 'cdk-soci-python-'))
  const path = join(folder, 'bin', 'python')
  run('python3', ['-m', 'venv', folder])
  // Not compiled: that takes longer than all that the tests then do with it
  const options = ['--quiet', '--disable-pip-version-check', '--no-compile']
  run(path, ['-m', 'pip', 'install', ...options, `aws-cdk-lib==${cdkVersion()}`, wheel])
  return { folder, path, wheel }
}

/** Of the aws-cdk-lib that TypeScript is tested with: both languages have to have the same. */
function cdkVersion(): string {
  const manifest = readFileSync(join(WORKSPACE, 'node_modules/aws-cdk-lib/package.json'), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}
