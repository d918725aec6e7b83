// Registries for end-to-end tests: those of others, and our own, each behind a proxy that counts.
import type { TestContext } from 'node:test'
import { memoryRepositories, serveRegistry } from '@sociable/oci'
import type { FaultProxy } from '../../../oci/dist/test/doubles/fault-proxy.js'
import type { RunningRegistry } from '../../../oci/dist/test/doubles/real-registries.js'

type Doubles = typeof import('../../../oci/dist/test/doubles/real-registries.js') &
  typeof import('../../../oci/dist/test/doubles/fault-proxy.js') &
  typeof import('../../../oci/dist/test/doubles/ecr.js') &
  typeof import('../../../oci/dist/test/doubles/certificate.js') &
  typeof import('../../../oci/dist/test/doubles/listen.js') &
  typeof import('../../../oci/dist/test/doubles/token-server.js') &
  typeof import('../../../oci/dist/test/doubles/connect-proxy.js') &
  typeof import('../../../oci/dist/test/tools.js')

/** What the tests of @sociable/oci have for this; no part of that package, so by its place in the workspace. */
export async function doubles(): Promise<Doubles> {
  const load = async (file: string) =>
    (await import(new URL(`../../../../oci/dist/test/${file}.js`, import.meta.url).href)) as object
  const names = ['real-registries', 'fault-proxy', 'ecr', 'certificate', 'listen', 'token-server', 'connect-proxy']
  const files = [...names.map((name) => `doubles/${name}`), 'tools']
  return Object.assign({}, ...(await Promise.all(files.map(load)))) as Doubles
}

export type Kind = 'docker-registry' | 'crane' | 'ociregistry' | 'go-containerregistry' | 'our own'
/** The first two have no referrers API. */
export const KINDS: readonly Kind[] = ['docker-registry', 'crane', 'ociregistry', 'go-containerregistry', 'our own']
/** Of go-containerregistry are those whose repositories share their blobs: there is nothing to mount. */
export const sharesBlobs = (kind: Kind): boolean => kind === 'crane' || kind === 'go-containerregistry'

export interface CountedRegistry {
  /** Of the proxy: what an image's name begins with. */
  readonly host: string
  readonly proxy: FaultProxy
  /** Requests since the last call, as `GET manifests`, `HEAD blobs`, sorted, each with how often. */
  seen(): Record<string, number>
  /** `repository@digest` of the blobs that were read since the last `seen`. */
  blobsRead(): string[]
}

/** Undefined where it cannot be had: then the test was skipped. */
export async function startRegistry(t: TestContext, kind: Kind): Promise<CountedRegistry | undefined> {
  const { startDockerRegistry, startCraneRegistry, startReferrersRegistry, startFaultProxy } = await doubles()
  let url: string
  if (kind === 'our own') {
    const server = await serveRegistry({ repositories: memoryRepositories() })
    t.after(() => server.close())
    url = server.url
  } else {
    const start = (): Promise<RunningRegistry | undefined> => {
      if (kind === 'docker-registry') return startDockerRegistry(t)
      return kind === 'crane' ? startCraneRegistry(t) : startReferrersRegistry(t, kind)
    }
    const registry = await start()
    if (registry === undefined) return undefined
    url = registry.url
  }
  const proxy = await startFaultProxy({ target: url })
  t.after(() => proxy.close())
  let from = 0
  return {
    host: proxy.host,
    proxy,
    seen() {
      const counts: Record<string, number> = {}
      for (const { method, path } of proxy.requests.slice(from)) {
        const what = /\/(manifests|blobs\/uploads|blobs|referrers|tags)\b/.exec(path)?.[1] ?? path
        const name = `${method} ${what}`
        counts[name] = (counts[name] ?? 0) + 1
      }
      from = proxy.requests.length
      return counts
    },
    blobsRead: () =>
      proxy.requests
        .slice(from)
        .filter(({ method }) => method === 'GET')
        .flatMap(({ path }) => /^\/v2\/(.+)\/blobs\/(sha256:\w+)$/.exec(path)?.slice(1).join('@') ?? []),
  }
}

/** Requests that change something. */
export function writes(seen: Readonly<Record<string, number>>): string[] {
  return Object.keys(seen).filter((name) => !/^(GET|HEAD) /.test(name))
}
