// How tests open a repository.
import { execFile } from 'node:child_process'
import type { TestContext } from 'node:test'
import { promisify } from 'node:util'
import { RegistryClient, type RegistryOptions } from '../../src/registry/client.js'
import { openRegistry, type RegistryStore } from '../../src/registry/registry-store.js'

/** Quick to try again, and without this machine's logins. */
export const QUICK: RegistryOptions = {
  credentials: async () => undefined,
  retry: { delay: 1, longestDelay: 4 },
}

/** A store of its own client, closed with the test. */
export async function openRepository(
  t: TestContext,
  host: string,
  repository: string,
  options: RegistryOptions = {},
): Promise<RegistryStore> {
  const client = new RegistryClient({ ...QUICK, ...options, retry: { ...QUICK.retry, ...options.retry } })
  t.after(() => client.close())
  return openRegistry({ registry: host, repository }, client)
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

export async function* chunked(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

/** What a command prints. Not synchronously, as the registry that it speaks to may be in this process. */
export async function run(command: string, ...args: string[]): Promise<string> {
  return (await promisify(execFile)(command, args, { maxBuffer: 64 << 20 })).stdout
}
