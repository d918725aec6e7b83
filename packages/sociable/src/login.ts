import type { CallOptions, RegistryAccess } from './options.js'
import { Registries } from './places/registries.js'

export interface LoginOptions extends CallOptions, Omit<RegistryAccess, 'username' | 'password'> {
  readonly username: string
  readonly password: string
}

export interface LoginResult {
  /** `host[:port]`. */
  readonly registry: string
  /** The file that has the login, or the program of the credential helper that keeps it. */
  readonly savedIn: string
}

export interface LogoutResult {
  readonly registry: string
  /** Docker's configuration file. */
  readonly file: string
  /** Whether the file had a login for the registry. */
  readonly removed: boolean
}

/**
 * Checks a login with the registry, then saves it where `docker login` does: in Docker's `config.json` (`DOCKER_CONFIG`, else `~/.docker`), or with the
 * credential helper that the file names. A registry that lets everybody in does not check it.
 * @param registry `host[:port]`, or `docker.io`
 * @throws StoreError UNAUTHORIZED, UNREACHABLE; Error where it cannot be saved
 */
export async function login(registry: string, options: LoginOptions): Promise<LoginResult> {
  const { username, password, signal } = options
  const registries = new Registries(options, [`${registry}/any`])
  try {
    await registries.check(registry, signal)
  } finally {
    await registries.close()
  }
  const { dockerConfigFile, saveLogin } = await import('@sociable/oci/registry')
  return { registry, savedIn: await saveLogin(dockerConfigFile(), registry, { username, password }, signal) }
}

/** Removes a registry's login from Docker's `config.json` and its credential helper. @throws Error where the file or the helper cannot be changed */
export async function logout(registry: string, { signal }: CallOptions = {}): Promise<LogoutResult> {
  const { dockerConfigFile, removeLogin } = await import('@sociable/oci/registry')
  const file = dockerConfigFile()
  return { registry, file, removed: await removeLogin(file, registry, signal) }
}
