// Changes the file that `docker login` writes. Everything else in it stays.
import { randomBytes } from 'node:crypto'
import { mkdir, open, realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { whileBusy } from '../../file/while-busy.js'
import { helperFor, keyOf, readRegular, serverOf } from './auth-file.js'
import { eraseInHelper, storeInHelper } from './credential-helper.js'

type Fields = Record<string, unknown>

/** Only its owner may read it: the logins are not encrypted. */
const MODE = 0o600

/**
 * Saves a login in Docker's configuration file, or with the credential helper that this file names for the registry. Gives where it is now: the file, or the
 * helper's program.
 * @throws Error of one line, without secrets, where the file is not valid, cannot be written, or the helper fails; then nothing has changed
 */
export async function saveLogin(
  file: string,
  registry: string,
  { username, password }: { readonly username: string; readonly password: string },
  signal?: AbortSignal,
): Promise<string> {
  const config = await readConfig(file)
  const server = serverOf(registry)
  const helper = helperOf(config, registry)
  if (helper !== undefined) {
    await storeInHelper(helper, { server, username, secret: password }, signal)
    // Docker lists the servers whose logins a helper keeps
    await writeConfig(file, { ...config, auths: { ...withoutLogin(config, registry), [server]: {} } })
    return `docker-credential-${helper}`
  }
  const auth = Buffer.from(`${username}:${password}`).toString('base64')
  await writeConfig(file, { ...config, auths: { ...withoutLogin(config, registry), [server]: { auth } } })
  return file
}

/**
 * Removes a registry's login from the file and its helper. False if there was none in the file.
 * @throws as `saveLogin`
 */
export async function removeLogin(file: string, registry: string, signal?: AbortSignal): Promise<boolean> {
  const config = await readConfig(file)
  const helper = helperOf(config, registry)
  if (helper !== undefined) await eraseInHelper(helper, serverOf(registry), signal)
  const auths = withoutLogin(config, registry)
  const isThere = Object.keys(auths).length < Object.keys(fieldsOf(config.auths)).length
  if (isThere) await writeConfig(file, { ...config, auths })
  return isThere
}

async function readConfig(file: string): Promise<Fields> {
  let config: unknown
  try {
    config = JSON.parse(new TextDecoder().decode(await readRegular(file)))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    // Not with the parser's words: they may quote a secret.
    throw error instanceof SyntaxError ? new Error(`${file} is not valid JSON: correct it, or move it away`) : error
  }
  if (typeof config !== 'object' || config === null || Array.isArray(config))
    throw new Error(`${file} is not a JSON object: correct it, or move it away`)
  return config as Fields
}

function helperOf({ credHelpers, credsStore }: Fields, registry: string): string | undefined {
  const helpers = Object.entries(fieldsOf(credHelpers)).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  )
  return helperFor(
    registry,
    new Map(helpers),
    typeof credsStore === 'string' && credsStore !== '' ? credsStore : undefined,
  )
}

/** The file's logins without those of the registry, in any spelling. */
function withoutLogin({ auths }: Fields, registry: string): Fields {
  return Object.fromEntries(Object.entries(fieldsOf(auths)).filter(([key]) => keyOf(key) !== registry))
}

/** The file is whole at any time: another one takes its name. A link stays one. */
async function writeConfig(file: string, config: Fields): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const target = await realpath(file).catch(() => file)
  const mode = await stat(target).then(
    (stats) => stats.mode & 0o777,
    () => MODE,
  )
  const temporary = `${target}.${randomBytes(6).toString('hex')}.tmp`
  try {
    const handle = await open(temporary, 'wx', mode)
    try {
      await handle.writeFile(`${JSON.stringify(config, null, '\t')}\n`)
    } finally {
      await handle.close()
    }
    await whileBusy(() => rename(temporary, target))
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {}
}
