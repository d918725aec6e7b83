import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../../../', import.meta.url))

/** Go programs, by name: what `go install` takes. Pinned, so that tests mean the same tomorrow. */
const GO: Readonly<Record<string, string>> = {
  conformance: 'github.com/opencontainers/distribution-spec/conformance@v0.0.0-20260831232431-97274622c111',
  crane: 'github.com/google/go-containerregistry/cmd/crane@v0.20.6',
  oras: 'oras.land/oras/cmd/oras@v1.3.6', // 1.2 cannot copy an index with what refers to its manifests
}
/** Go programs of our own, by name: their folders, seen from the workspace's. */
const OWN_GO: Readonly<Record<string, string>> = {
  'referrers-registry': 'packages/oci/test/doubles/referrers-registry',
}

/**
 * The path of a real tool, installed now if need be. Where it cannot be had the test is skipped, and fails under CI=true.
 */
export async function tool(t: TestContext, name: string): Promise<string | undefined> {
  try {
    if (OWN_GO[name] !== undefined) return buildGo(name, join(root, OWN_GO[name]))
    return GO[name] === undefined ? await debianTool(name) : goTool(name, GO[name])
  } catch (error) {
    const reason = `${name} cannot be had: ${(error as Error).message}`
    if (process.env.CI === 'true') throw new Error(reason)
    t.skip(reason)
    return undefined
  }
}

async function debianTool(name: string): Promise<string> {
  const tools = (await import(new URL('scripts/tools.mjs', `file://${root}`).href)) as { ensure(name: string): string }
  return tools.ensure(name)
}

const goFolder = join(root, '.cache', 'tools', 'go-bin')

function goTool(name: string, module: string): string {
  const folder = join(goFolder, module.slice(module.lastIndexOf('@') + 1))
  const path = join(folder, name)
  if (!existsSync(path)) go(['install', module], root, { GOBIN: folder })
  return path
}

/** Built once in each process, so that the program is never older than its source; Go's own cache makes that quick. */
function buildGo(name: string, folder: string): string {
  const path = join(goFolder, name)
  if (!built.has(name)) go(['build', '-o', path, '.'], folder)
  built.add(name)
  return path
}

const built = new Set<string>()

function go(args: readonly string[], cwd: string, more: NodeJS.ProcessEnv = {}): void {
  const env = { ...process.env, GOFLAGS: '-mod=readonly', ...more }
  const { status, stderr, error } = spawnSync('go', args, { cwd, env, encoding: 'utf8' })
  if (status !== 0) throw new Error(`go ${args.join(' ')}: ${error?.message ?? stderr.trim().split('\n').at(-1)}`)
}

/** The path of a command that most machines have; undefined where this one has not. */
export function find(name: string): string | undefined {
  const { status, stdout } = spawnSync(process.platform === 'win32' ? 'where' : 'which', [name], { encoding: 'utf8' })
  return status === 0 ? stdout.trim().split('\n')[0] : undefined
}

/** Runs a command to its end and gives what it printed. @throws Error with its messages where it fails */
export function run(command: string, ...args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 64 << 20 })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr}`)
  return stdout
}

/** A folder of the test's own, removed when it ends. */
export function temporaryFolder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'sociable-oci-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}
