import { parseEcrHost, readAhead, type Store } from '@sociable/oci'
import { type Credentials, firstOf, openRegistry, RegistryClient } from '@sociable/oci/registry'
import { roleCredentials } from './ecr-api.js'
import type { EcrRepository } from './ecr-repository.js'

/** A registry that a VPC has no way to is found out about in a minute, and not in three. */
const RETRIES_ELSEWHERE = 3
/** Milliseconds that a registry has to take a connection. Within AWS it takes far less, and without a way it never does. */
const CONNECT_TIMEOUT = 5_000

/**
 * The repositories of one event, each one store: those in ECR with the function's own role, those of other registries with the logins that they are given.
 * Nothing is looked for on the machine, which has nothing.
 */
export class Images {
  readonly #ecr: RegistryClient
  readonly #elsewhere: RegistryClient
  readonly #stores = new Map<string, Promise<Store>>()
  readonly #logins: Credentials[] = []

  /** @param memory bytes that the event's work may take */
  constructor(memory: number) {
    const ahead = readAhead(memory)
    this.#ecr = new RegistryClient({
      credentials: roleCredentials(),
      memory: ahead,
      connectTimeout: CONNECT_TIMEOUT,
    })
    this.#elsewhere = new RegistryClient({
      credentials: async (...request) => firstOf(...this.#logins)(...request),
      memory: ahead,
      retry: { retries: RETRIES_ELSEWHERE },
    })
  }

  /** A login for one registry, which is not ECR's. */
  addLogin(login: Credentials): void {
    this.#logins.push(login)
  }

  open(
    { registry, repository }: { readonly registry: string; readonly repository: string },
    signal: AbortSignal,
  ): Promise<Store> {
    const name = `${registry}/${repository}`
    const known = this.#stores.get(name)
    if (known !== undefined) return known
    const client = parseEcrHost(registry) === undefined ? this.#elsewhere : this.#ecr
    const opened = openRegistry({ registry, repository }, client, { signal })
    this.#stores.set(name, opened)
    return opened
  }

  openEcr({ host, name }: EcrRepository, signal: AbortSignal): Promise<Store> {
    return this.open({ registry: host, repository: name }, signal)
  }

  async close(): Promise<void> {
    await Promise.all([this.#ecr.close(), this.#elsewhere.close()])
  }
}
