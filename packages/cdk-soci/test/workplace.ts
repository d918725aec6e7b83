// What the tests of whole apps need: the workspace's places, real tools, and commands that are run to their end.
import './synthesis/temporary.js'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

/** The folder of this package, with its source. */
export const PACKAGE = fileURLToPath(new URL('../../', import.meta.url))
/** The folder of the workspace. */
export const WORKSPACE = fileURLToPath(new URL('../../../../', import.meta.url))

interface Tools {
  ensure(name: string): string
  ensureJars(name: string): string
  ensureNode(major: string): string
  ensurePackages(...packages: string[]): string
}
const tools = (await import(new URL('../../../../scripts/tools.mjs', import.meta.url).href)) as Tools

/** The Node that jsii and CDK's command line are run with: they do without the one that the rest of the workspace starts at. */
export const NODE = tools.ensureNode('24')

/** The path of a real tool, installed now if need be. Where it cannot be had the test is skipped, and fails under CI=true. */
export function tool(t: TestContext, name: string): string | undefined {
  return orSkip(t, name, () => tools.ensure(name))
}

/** The folder that has packages of npm, each called as `name@version`; else as `tool`. */
export function packages(t: TestContext, ...names: string[]): string | undefined {
  return orSkip(t, names.join(' and '), () => tools.ensurePackages(...names))
}

/** The folder that has a package of Maven's; else as `tool`. */
export function jars(t: TestContext, name: string): string | undefined {
  return orSkip(t, name, () => tools.ensureJars(name))
}

function orSkip(t: TestContext, name: string, find: () => string): string | undefined {
  try {
    return find()
  } catch (error) {
    const reason = `${name} cannot be had: ${(error as Error).message}`
    if (process.env.CI === 'true') throw new Error(reason)
    t.skip(reason)
    return undefined
  }
}

/** Where and how a command runs. */
export interface RunOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  /** What it reads from its standard input. */
  readonly input?: string
}

/** Runs a command to its end, `node` being `NODE`, and gives what it printed. @throws Error with all that it said where it fails */
export function run(command: string, args: readonly string[], { cwd = PACKAGE, env, input }: RunOptions = {}): string {
  const path = `${dirname(NODE)}${delimiter}${process.env.PATH}`
  const { status, stdout, stderr, error } = spawnSync(command === 'node' ? NODE : command, args, {
    cwd,
    env: { ...environment(), PATH: path, ...env },
    ...(input !== undefined && { input }),
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? `${stdout}${stderr}`}`)
  return stdout
}

/** This process's environment without what node's test runner puts there for its children, and without an AWS account. */
function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => name !== 'NODE_TEST_CONTEXT' && !/^(AWS|CDK)_/.test(name)),
  )
}

/** A folder of the test's own, removed when it ends. */
export function temporaryFolder(t: { after(remove: () => void): void }): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'cdk-soci-')))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}
