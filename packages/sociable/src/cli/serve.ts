import { once } from 'node:events'
import type { LeftOutFolder } from '@sociable/oci'
import { Command, InvalidArgumentError } from 'commander'
import { addExamples } from './examples.js'
import { plural } from './format.js'
import { addOptions, notEmpty, option } from './option.js'
import type { Terminal } from './terminal.js'

interface ServeFlags {
  readonly port: number
  readonly host: string
  readonly readOnly?: boolean
  readonly allowHost: readonly string[]
}

/** What `serve --json` prints, when it listens. */
export interface ServeDocument {
  /** `127.0.0.1:5000`: what an image's name begins with. */
  readonly host: string
  /** `http://127.0.0.1:5000` */
  readonly url: string
  readonly readOnly: boolean
  /** Those that are there already, sorted. */
  readonly repositories: readonly string[]
  /** Layouts that are not served, and why. */
  readonly leftOut: readonly LeftOutFolder[]
}

const LOOPBACK = '127.0.0.1'
/** What the requests under way have before the program ends: within the time that an interrupted one has. */
const GRACE_MILLISECONDS = 400
const LISTED = 20 // repositories
const LISTED_LEFT_OUT = 5

export function serveCommand(terminal: Terminal): Command {
  const command = new Command('serve')
    .summary('serve image layouts as a registry')
    .description(
      'Serves OCI layouts as a registry, until Ctrl-C. If DIR is a layout, it is a repository with the name of the folder. Otherwise, the layouts below DIR are repositories named by their paths, and a push to a new name creates one. Layouts whose path is not a valid repository name are not served; a warning lists them. Prints the address (host:port). There is no TLS and no login, so by default only this machine can connect.',
    )
    .argument('<dir>', 'a layout, or a folder of layouts', notEmpty)
  addOptions(
    command,
    option('--port <port>', 'port to listen on (default: any free port)', parsePort).default(0, 'any'),
    option('--host <host>', 'address to listen on; 0.0.0.0 for all', notEmpty).default(LOOPBACK),
    option('--allow-host <name>', 'host name that clients may use for this registry; repeatable', notEmpty)
      .argParser((name: string, before: readonly string[]) => [...before, notEmpty(name)])
      .default([], 'names of the loopback and --host'),
    option('--read-only', 'refuse pushes and deletions'),
  )
  addExamples(command, [
    { command: 'sociable serve ./images --port 5000', does: './images/app is 127.0.0.1:5000/app' },
    { command: 'sociable serve ./app --read-only', does: 'read one layout with a registry client' },
  ])
  return command.action(async (folder: string, { port, host, readOnly = false, allowHost }: ServeFlags) => {
    const { layoutRepositories, serveRegistry } = await import('@sociable/oci')
    const repositories = await layoutRepositories(folder, { write: !readOnly })
    const onError = (error: unknown) => terminal.warn(error instanceof Error ? error.message : String(error))
    const server = await serveRegistry({
      repositories,
      readOnly,
      host,
      port,
      allowedHosts: allowHost,
      onError,
    })
    try {
      const { names, leftOut } = await repositories.survey()
      const document: ServeDocument = { host: server.host, url: server.url, readOnly, repositories: names, leftOut }
      await terminal.result(document, [server.host])
      describe(document, host, terminal)
      if (!terminal.signal.aborted) await once(terminal.signal, 'abort')
    } finally {
      await server.close(GRACE_MILLISECONDS)
    }
  })
}

function describe({ repositories, leftOut, readOnly }: ServeDocument, host: string, terminal: Terminal): void {
  const more = repositories.length > LISTED ? ` and ${repositories.length - LISTED} more` : ''
  const listed = repositories.length === 0 ? 'no repository yet' : repositories.slice(0, LISTED).join(', ')
  terminal.note(`serving ${listed}${more}${readOnly ? ', read-only' : ''}; press Ctrl-C to stop`)
  for (const { path, reason } of leftOut.slice(0, LISTED_LEFT_OUT)) terminal.warn(`${path} is not served: ${reason}`)
  if (leftOut.length > LISTED_LEFT_OUT)
    terminal.warn(`${plural(leftOut.length - LISTED_LEFT_OUT, 'more folder')} not served: --json lists all`)
  if (host !== LOOPBACK && host !== 'localhost' && host !== '::1')
    terminal.warn(`there is no login: anyone who can reach ${host} can read${readOnly ? '' : ', push and delete'}`)
}

function parsePort(text: string): number {
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text.trim()) || port > 65535) throw new InvalidArgumentError('Write a number from 0 to 65535.')
  return port
}
