// The flags of all commands that may have to do with a registry.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import type { RegistryAccess } from '../options.js'
import { UsageError } from './failure.js'
import { formatBinarySize } from './format.js'
import { addOptions, option } from './option.js'
import type { Terminal } from './terminal.js'
import { parseHosts, parseText } from './values.js'

export interface RegistryFlags {
  readonly username?: string
  readonly passwordStdin?: boolean
  readonly plainHttp?: boolean
  readonly plainHttpRegistry?: readonly string[]
  readonly insecure?: boolean
  readonly insecureRegistry?: readonly string[]
}

/** Bytes of the longest password that is read: tokens of some registries have several thousand. */
const PASSWORD_LIMIT = 64 << 10

export function addRegistryOptions(command: Command): Command {
  return addOptions(
    command,
    option('--username <name>', "user name for the destination's registry; requires --password-stdin", parseText),
    option('--password-stdin', 'read the password from stdin'),
    option('--plain-http', 'use plain HTTP without TLS (default: only on this machine)'),
    option('--plain-http-registry <host>', 'use plain HTTP for this registry only; repeatable', parseHosts),
    option('--insecure', 'accept any certificate'),
    option('--insecure-registry <host>', 'accept any certificate from this registry only; repeatable', parseHosts),
  )
}

/**
 * Reads the password where it was asked for.
 * @param places the image names of the command line: one that is `-` has stdin already
 * @throws UsageError
 */
export async function registryOptions(
  flags: RegistryFlags,
  places: readonly string[],
  terminal: Terminal,
): Promise<RegistryAccess> {
  const { username, passwordStdin = false } = flags
  const plainHttp = flags.plainHttpRegistry ?? flags.plainHttp
  const insecure = flags.insecureRegistry ?? flags.insecure
  if (username === undefined && passwordStdin) throw new UsageError('--password-stdin needs --username')
  if (username !== undefined && !passwordStdin)
    throw new UsageError('--username needs --password-stdin: other users can see a password on the command line')
  const onNotice = (message: string) => terminal.warn(message)
  if (places.includes('-') && process.stdin.isTTY)
    throw new UsageError('standard input is a terminal: pipe an archive or a layer in, or name a file')
  for (const place of places) refuseLocalPath(place)
  if (!passwordStdin) return { plainHttp, insecure, onNotice }
  if (places.includes('-')) throw new UsageError('--password-stdin and - both read stdin: use a file')
  return { username, password: await readPassword(), plainHttp, insecure, onNotice }
}

/** A folder or file that is here, named as if it were in a registry, is never sought there. */
function refuseLocalPath(place: string): void {
  const path = place.replace(/@sha\d+:[0-9a-f]+$/, '').replace(/:[\w.-]+$/, '')
  const [isLayout, isArchive] = [existsSync(join(path, 'oci-layout')), /\.(?:tar|tgz|tar\.gz)$/.test(path)]
  if (!isLayout && !(isArchive && existsSync(path))) return
  const rest = place.slice(path.length)
  const forms = isLayout ? `oci:${path}${rest}` : `oci-archive:${path}${rest} or docker-archive:${path}${rest}`
  throw new UsageError(`${path} is a ${isLayout ? 'folder with an image layout' : 'file'}: write ${forms}`)
}

async function readPassword(): Promise<string> {
  if (process.stdin.isTTY) throw new UsageError('standard input is a terminal: pipe the password in')
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > PASSWORD_LIMIT)
      throw new UsageError(`the password on stdin is longer than the limit of ${formatBinarySize(PASSWORD_LIMIT)}`)
    chunks.push(chunk)
  }
  const password = Buffer.concat(chunks)
    .toString()
    .replace(/\r?\n$/, '')
  if (password === '') throw new UsageError('there is no password on stdin')
  return password
}
