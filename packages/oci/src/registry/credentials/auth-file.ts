import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import type { Credential, CredentialRequest, Credentials } from './credential.js'
import { askCredentialHelper } from './credential-helper.js'

const FILE_SIZE = 16 << 20 // bytes; a configuration has some thousand

interface AuthFile {
  readonly auths: ReadonlyMap<string, AuthEntry>
  readonly credHelpers: ReadonlyMap<string, string>
  readonly credsStore: string | undefined
}

type AuthEntry = Readonly<Record<string, unknown>>

/**
 * The logins of a file as `docker login` and `podman login` write it (docker/cli, cli/config; containers-auth.json(5)): `credHelpers` and
 * `credsStore` are asked first, then `auths`. A key may be a host, an address (`https://index.docker.io/v1/`), or podman's
 * `host/namespace/repository`, of which the longest counts. A file that is not there has none.
 */
export function authFile(path: string): Credentials {
  return authsOf(path, (request) => readAuthFile(path, request))
}

/** The same of a text in the form of that file. @param name where it is from, for messages */
export function authText(name: string, text: string): Credentials {
  return authsOf(name, async (request) => parseAuths(Buffer.from(text), name, request))
}

function authsOf(path: string, read: (request: CredentialRequest) => Promise<AuthFile | undefined>): Credentials {
  let file: Promise<AuthFile | undefined> | undefined
  return async (registry, request = {}) => {
    file ??= read(request)
    const auth = await file
    return auth && findCredential(auth, path, registry, request)
  }
}

async function readAuthFile(path: string, request: CredentialRequest): Promise<AuthFile | undefined> {
  const { note } = request
  let bytes: Uint8Array
  try {
    bytes = await readRegular(path)
  } catch (error) {
    if (error instanceof NotAFile) {
      note?.(error.message)
      return undefined
    }
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'error'
    if (code !== 'ENOENT' && code !== 'ENOTDIR') note?.(`${path} cannot be read (${code})`)
    return undefined
  }
  return parseAuths(bytes, path, request)
}

function parseAuths(bytes: Uint8Array, path: string, { note }: CredentialRequest): AuthFile | undefined {
  try {
    const json: unknown = JSON.parse(new TextDecoder().decode(bytes))
    const credsStore = objectOf(json).credsStore
    return {
      auths: new Map(Object.entries(objectOf(objectOf(json).auths)).map(([key, value]) => [key, objectOf(value)])),
      credHelpers: new Map(
        Object.entries(objectOf(objectOf(json).credHelpers)).filter(
          (e): e is [string, string] => typeof e[1] === 'string',
        ),
      ),
      credsStore: typeof credsStore === 'string' && credsStore !== '' ? credsStore : undefined,
    }
  } catch {
    // Not with the parser's words: they may quote a secret.
    note?.(`${path} is not a JSON file with logins`)
    return undefined
  }
}

class NotAFile extends Error {}

/** @throws Error of one line, or the system's error. A pipe or a device could keep a reader waiting, or never end. */
export async function readRegular(path: string): Promise<Uint8Array> {
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  try {
    const stats = await file.stat()
    if (!stats.isFile()) throw new NotAFile(`${path} is not a regular file, and not read`)
    if (stats.size > FILE_SIZE) throw new NotAFile(`${path} has ${stats.size} bytes, more than the limit of 16 MiB`)
    return await file.readFile()
  } finally {
    await file.close()
  }
}

async function findCredential(
  { auths, credHelpers, credsStore }: AuthFile,
  path: string,
  registry: string,
  { repository, refused = [], note, signal }: CredentialRequest,
): Promise<Credential | undefined> {
  const helper = helperFor(registry, credHelpers, credsStore)
  const server = serverOf(registry)
  if (helper !== undefined) {
    try {
      const found = await askCredentialHelper(helper, server, signal)
      // One that was refused may be followed by what stands in the file.
      if (found !== undefined && refused.every((other) => other.source !== found.source)) return found
    } catch (error) {
      signal?.throwIfAborted()
      note?.((error as Error).message)
    }
  }
  const names = repository === undefined ? [registry] : prefixes(`${registry}/${repository}`)
  for (const name of names)
    for (const [key, entry] of auths) {
      const credential = keyOf(key) === name ? readEntry(entry, path) : undefined
      if (credential !== undefined) return credential
    }
  // An address with a path that is not a repository's, as `https://HOST/api/docker/local`, is the login of its host
  for (const [key, entry] of auths)
    if (/^https?:\/\//i.test(key) && keyOf(key).split('/')[0] === registry) {
      const credential = readEntry(entry, path)
      if (credential !== undefined) return credential
    }
  return undefined
}

/** The helper that keeps a registry's login; undefined if the file does. */
export function helperFor(
  registry: string,
  credHelpers: ReadonlyMap<string, string>,
  credsStore: string | undefined,
): string | undefined {
  return [...credHelpers].find(([key]) => keyOf(key) === registry)?.[1] ?? credsStore
}

/** What docker calls a registry in its file and to helpers. */
export function serverOf(registry: string): string {
  return registry === 'docker.io' ? 'https://index.docker.io/v1/' : registry
}

/** `host/a/b`, `host/a`, `host`. */
function prefixes(name: string): readonly string[] {
  const parts = name.split('/')
  return parts.map((_, i) => parts.slice(0, parts.length - i).join('/'))
}

/** A key as registries are named here: without scheme and API version, docker.io under its one name. */
export function keyOf(key: string): string {
  const name = key.replace(/^https?:\/\//i, '').replace(/\/(?:v[12]\/?)?$/, '')
  const slash = name.indexOf('/')
  const host = (slash < 0 ? name : name.slice(0, slash)).toLowerCase()
  const path = slash < 0 ? '' : name.slice(slash)
  return (host === 'index.docker.io' || host === 'registry-1.docker.io' ? 'docker.io' : host) + path
}

function readEntry(entry: AuthEntry, path: string): Credential | undefined {
  const source = `the login in ${path}`
  if (isText(entry.registrytoken)) return { kind: 'registry-token', token: entry.registrytoken, source }
  if (isText(entry.identitytoken)) return { kind: 'identity-token', token: entry.identitytoken, source }
  let { username, password } = entry
  if (isText(entry.auth)) {
    const pair = Buffer.from(entry.auth, 'base64').toString('utf8')
    const colon = pair.indexOf(':')
    if (colon < 0) return undefined
    username = pair.slice(0, colon)
    password = pair.slice(colon + 1).replace(/\0+$/, '') // docker once wrote them so
  }
  return isText(username) && isText(password) ? { kind: 'password', username, password, source } : undefined
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
}
