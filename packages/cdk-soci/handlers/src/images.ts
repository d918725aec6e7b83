import type { Store } from '@sociable/oci'
import { type Credentials, ecrCredentials, firstOf, openRegistry, RegistryClient } from '@sociable/oci/registry'
import type { EcrRepository } from './ecr-repository.js'

/** What one event's work reads ahead from registries, of all memory that it has. */
const READ_AHEAD = 64 << 20 // bytes

/** The repositories of one event: all share connections and logins, and each is one store. */
export class Images {
  readonly #client: RegistryClient
  readonly #stores = new Map<string, Promise<Store>>()
  readonly #logins: Credentials[] = []

  /** @param memory bytes that the event's work may take */
  constructor(memory: number) {
    const ecr = ecrCredentials()
    this.#client = new RegistryClient({
      // Private ECR by the function's role; nothing is looked for on the machine, which has nothing
      credentials: async (registry, request) =>
        registry === 'public.ecr.aws' ? undefined : firstOf(...this.#logins, ecr)(registry, request),
      memory: Math.floor(Math.min(READ_AHEAD, memory / 4)),
    })
  }

  /** A login for one registry, before the function's own. */
  addLogin(login: Credentials): void {
    this.#logins.push(login)
  }

  /** @param signal ends the wait for the registry's first answer */
  open(
    { registry, repository }: { readonly registry: string; readonly repository: string },
    signal: AbortSignal,
  ): Promise<Store> {
    const name = `${registry}/${repository}`
    const known = this.#stores.get(name)
    if (known !== undefined) return known
    const opened = openRegistry({ registry, repository }, this.#client, { signal })
    this.#stores.set(name, opened)
    return opened
  }

  openEcr({ host, name }: EcrRepository, signal: AbortSignal): Promise<Store> {
    return this.open({ registry: host, repository: name }, signal)
  }

  async close(): Promise<void> {
    await this.#client.close()
  }
}
