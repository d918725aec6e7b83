import {
  type ImageReference,
  openStore,
  parseReference,
  type RegistryReference,
  readAhead,
  type Store,
} from '@sociable/oci'
import type { ForRegistries, RegistryClient } from '@sociable/oci/registry'
import type { ImageLocation, RegistryAccess } from '../options.js'

/**
 * The registries of one call: logins and connections are shared, and a repository is one store however often it is named. Their code is loaded
 * when there is one.
 */
export class Registries {
  readonly #access: RegistryAccess
  readonly #memory: number
  /** The one that the given login is for. */
  readonly #login: string | undefined
  /** All that the call names. */
  readonly #names: ReadonlySet<string>
  readonly #stores = new Map<string, Promise<Store>>()
  #client: Promise<RegistryClient> | undefined

  /**
   * @param locations the login goes to the registry of the first that is in one
   * @param memory bytes that the call may take, see `readAhead`
   * @throws TypeError for a username without a password, or a password without a username
   */
  constructor(
    access: RegistryAccess,
    locations: readonly (ImageLocation | undefined)[],
    memory = Number.POSITIVE_INFINITY,
  ) {
    const { username, password } = access
    if ((username === undefined) !== (password === undefined))
      throw new TypeError('a login has both: username and password')
    this.#access = access
    this.#memory = memory
    this.#names = new Set(locations.map(registryOf).filter((name) => name !== undefined))
    if (username !== undefined) this.#login = locations.map(registryOf).find((name) => name !== undefined)
  }

  /** The repository of the reference; closed with all others. @throws StoreError */
  async open(reference: RegistryReference, signal: AbortSignal | undefined): Promise<Store> {
    const name = `${reference.registry}/${reference.repository}`
    const known = this.#stores.get(name)
    if (known !== undefined) return await known
    this.#client ??= this.#connect()
    const opened = this.#client.then((registries) => openStore(reference, { registries, signal }))
    this.#stores.set(name, opened)
    return await opened
  }

  /** The repositories of a registry. @throws StoreError */
  async *repositories(registry: string, signal: AbortSignal | undefined): AsyncGenerator<string, void, undefined> {
    this.#client ??= this.#connect()
    const { listRepositories } = await import('@sociable/oci/registry')
    yield* listRepositories(await this.#client, registry, { signal })
  }

  /** Asks the registry for its API's base, with the login. @throws StoreError UNAUTHORIZED where it refuses that */
  async check(registry: string, signal: AbortSignal | undefined): Promise<void> {
    this.#client ??= this.#connect()
    const opened = await (await this.#client).registry(registry, { signal })
    const response = await opened.send({ method: 'GET', url: '/v2/', scopes: new Map(), expect: [200], signal })
    response.discard()
  }

  async close(): Promise<void> {
    const client = await this.#client
    await client?.close()
  }

  /** A flag without names is for the call's one registry; of several it is for those that need it. */
  #meant(flag: boolean | readonly string[] | undefined): ForRegistries | undefined {
    if (flag !== true) return flag === false ? undefined : flag
    return this.#names.size > 1 ? 'as needed' : [...this.#names]
  }

  async #connect(): Promise<RegistryClient> {
    const { defaultCredentials, explicitCredential, firstOf, RegistryClient } = await import('@sociable/oci/registry')
    const { username, password, plainHttp, insecure, onNotice } = this.#access
    const others = defaultCredentials()
    const login = this.#login
    // Where a login was given, it is that one or none
    const own = login === undefined ? others : firstOf(explicitCredential(login, username!, password!))
    return new RegistryClient({
      credentials: (registry, request) => (registry === login ? own : others)(registry, request),
      plainHttp: this.#meant(plainHttp),
      insecure: this.#meant(insecure),
      memory: readAhead(this.#memory),
      onNotice,
    })
  }
}

function registryOf(location: ImageLocation | undefined): string | undefined {
  if (typeof location !== 'string') return undefined
  const reference: ImageReference = parseReference(location)
  return reference.transport === 'registry' ? reference.registry : undefined
}
