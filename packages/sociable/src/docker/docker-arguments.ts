// The command lines of docker, podman, nerdctl and finch, as far as it matters which image a push sends.

/** What a command line does. */
export interface DockerCommand {
  /** The folder of `--config`, where the logins are. */
  readonly config?: string
  /** The image that it pushes. Absent for other commands, and for a push of all tags. */
  readonly pushed?: string
  /** Whether it pushes all tags of a repository. */
  readonly pushesAll: boolean
}

/** Options before the command that take a value as the next argument: docker's, then those that only podman or nerdctl has. */
const GLOBAL_VALUES = new Set([
  ...['--config', '-c', '--context', '-H', '--host', '-l', '--log-level', '--tlscacert', '--tlscert', '--tlskey'],
  ...['--cgroup-manager', '--conmon', '--connection', '--identity', '--imagestore', '--module', '--root', '--runroot'],
  ...['--runtime', '--storage-driver', '--storage-opt', '--tmpdir', '--url', '--registries-conf'],
  ...['-a', '--address', '-n', '--namespace', '--snapshotter', '--data-root', '--hosts-dir'],
])

/** The same of `push`. */
const PUSH_VALUES = new Set([
  '--platform',
  ...['--authfile', '--cert-dir', '--compression-format', '--compression-level', '--creds', '--digestfile'],
  ...['--encrypt-layer', '--encryption-key', '-f', '--format', '--retry', '--retry-delay', '--sign-by'],
  ...['--sign-by-sigstore', '--sign-by-sigstore-private-key', '--sign-passphrase-file'],
  ...['--sign', '--cosign-key', '--notation-key-name', '--ipfs-address'],
])

const ALL_TAGS = ['-a', '--all-tags']

/** @param args what follows the program's name */
export function parseDockerCommand(args: readonly string[]): DockerCommand {
  const global = split(args, GLOBAL_VALUES, 1)
  const config = lastValue(global.options, '--config')
  const [command, rest] = [global.words[0], global.rest]
  const push = command === 'image' ? afterWord(rest, 'push') : command === 'push' ? rest : undefined
  const found = push && split(push, PUSH_VALUES, Number.POSITIVE_INFINITY)
  const pushesAll = found?.options.some(([name]) => ALL_TAGS.includes(name)) ?? false
  // podman takes a second name: where the image goes
  const pushed = pushesAll ? undefined : found?.words.at(-1)?.replace(/^docker:\/\//, '')
  return { ...(config !== undefined && { config }), ...(pushed !== undefined && { pushed }), pushesAll }
}

/** A call as a plugin of docker's command line. */
export interface PluginCommand {
  /** What follows the plugin's name. */
  readonly args: readonly string[]
  /** The folder of docker's `--config`. */
  readonly config?: string
}

/** @param args docker's own, with the plugin's name among them; or without docker, only what follows the name */
export function parsePluginCommand(args: readonly string[], plugin: string): PluginCommand {
  const { options, words, rest } = split(args, GLOBAL_VALUES, 1)
  if (words[0] !== plugin) return { args }
  const config = lastValue(options, '--config')
  return { args: rest, ...(config !== undefined && { config }) }
}

type Option = readonly [name: string, value: string | undefined]

/** Takes options and words, up to so many words. */
function split(args: readonly string[], withValue: ReadonlySet<string>, maxWords: number) {
  const options: Option[] = []
  const words: string[] = []
  let at = 0
  while (at < args.length && words.length < maxWords) {
    const arg = args[at++]!
    const [name, value] = arg.startsWith('--') ? splitOnce(arg, '=') : [arg, undefined]
    if (!arg.startsWith('-') || arg === '-') words.push(arg)
    else options.push([name, value ?? (withValue.has(name) ? args[at++] : undefined)])
  }
  return { options, words, rest: args.slice(at) }
}

function splitOnce(text: string, separator: string): readonly [string, string | undefined] {
  const at = text.indexOf(separator)
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)]
}

function lastValue(options: readonly Option[], wanted: string): string | undefined {
  return options.findLast(([name]) => name === wanted)?.[1]
}

function afterWord(args: readonly string[], word: string): readonly string[] | undefined {
  return args[0] === word ? args.slice(1) : undefined
}
