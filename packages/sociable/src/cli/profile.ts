import { createReadStream } from 'node:fs'
import { addAbortSignal } from 'node:stream'
import { Command } from 'commander'
import type { CheckProfileResult } from '../check-profile.js'
import type { Profile, ProfileFile } from '../profile/profile.js'
import type { TraceSource } from '../profile/profile-from-traces.js'
import { quotePath } from '../reading/quote-path.js'
import { writeFileAtomically } from './atomic-file.js'
import { addExamples } from './examples.js'
import { UsageError } from './failure.js'
import { plural } from './format.js'
import { platformOption } from './image-reading.js'
import { addOptions, notEmpty, option } from './option.js'
import { addRegistryOptions, type RegistryFlags, registryOptions } from './registry-options.js'
import type { Terminal } from './terminal.js'
import { parseFiles, parseText } from './values.js'
import { reportWholeLayers } from './whole-layers.js'

interface ProfileFlags extends RegistryFlags {
  readonly output?: string
  readonly root?: string
  readonly exclude?: readonly string[]
  readonly check?: string
  readonly static?: string
  readonly platform?: string
}

/** What `profile --json` prints: the profile itself. */
export interface ProfileDocument {
  readonly version: 1
  /** In the order of first use. */
  readonly files: readonly ProfileFile[]
}

export function profileCommand(terminal: Terminal): Command {
  const command = new Command('profile')
    .summary('make a profile of the files that a start reads')
    .description(
      'Makes a profile from traces: the files that a start reads, in order of first use. Takes logs of strace, opensnoop and fatrace, lists of paths or of ' +
        'pages in the page cache, JSON arrays of paths, and profiles; the content shows which. Files in /proc, /sys, /dev, /run and /tmp, and files that the traced ' +
        'programs create, are left out. With --static, makes the profile from an image without running it: follows its command through shebangs, libraries, interpreters and ' +
        'imports. With --check, prints which paths of the profile an image has; the exit status is 1 if any is missing.',
    )
    .argument('[trace...]', 'trace files; - for standard input', notEmptyList, [])
  addOptions(
    command,
    option('-o, --output <file>', 'write the profile to this file (default: stdout)', parseText),
    option('--static <image>', 'make the profile from this image, without a trace', parseText),
    option('--root <dir>', 'only files below this folder, with paths relative to it', parseText),
    option('--exclude <pattern>', 'leave out paths that match; * is any text, including /; repeatable', parseFiles),
    option('--check <image>', 'print which paths of the profile this image has', parseText),
    platformOption(),
  )
  addRegistryOptions(command)
  addExamples(command, [
    { command: 'strace -f -o start.log ./app; sociable profile start.log -o start.json', does: 'make a profile' },
    {
      command: 'sociable profile start.log --root /tmp/rootfs --exclude "*.pyc"',
      does: 'use a trace of a chroot, without compiled Python files',
    },
    {
      command: 'sociable profile --static registry.example/app:1 -o start.json',
      does: 'make a profile without a trace',
    },
    {
      command: 'sociable profile start.json --check registry.example/app:2',
      does: 'check whether a profile still fits',
    },
  ])
  return command.action(async (files: readonly string[], flags: ProfileFlags) => {
    if (flags.platform !== undefined && flags.check === undefined && flags.static === undefined)
      throw new UsageError('--platform needs --static or --check')
    if (files.length === 0 && flags.static === undefined)
      throw new UsageError('name a trace, or an image with --static')
    if (files.filter((file) => file === '-').length > 1) throw new UsageError('standard input can be read only once')
    const { output } = flags
    const profile = await makeProfile(files, flags, terminal)
    const { encodeProfile } = await import('../profile/encode-profile.js')
    const encoded = encodeProfile(profile)
    if (output !== undefined && output !== '-')
      await writeFileAtomically(output, [Buffer.from(encoded)], terminal.signal)
    if (flags.check !== undefined) {
      const access = await registryOptions(flags, [flags.check], terminal)
      const { checkProfile } = await import('../check-profile.js')
      const { onWholeLayer, end } = reportWholeLayers(terminal)
      const options = { ...access, platform: flags.platform, signal: terminal.signal, onWholeLayer }
      const checked = await checkProfile(flags.check, profile, options).finally(end)
      await terminal.result(checked, checkLines(checked))
      if (checked.missing.length > 0) terminal.exitStatus = 1
    } else if (output === undefined || output === '-' || terminal.json) await terminal.write(encoded)
    else terminal.note(`${output}: ${plural(profile.files.length, 'file')}`)
  })
}

/** Of the traces, and of the image that --static names, in this order. */
async function makeProfile(files: readonly string[], flags: ProfileFlags, terminal: Terminal): Promise<Profile> {
  const profiles: Profile[] = []
  if (files.length > 0) profiles.push(await profileOfTraces(files, flags, terminal))
  if (flags.static !== undefined) profiles.push(await profileOfImage(flags.static, flags, terminal))
  const { mergeProfiles } = await import('../profile/merge-profiles.js')
  return mergeProfiles(profiles)
}

async function profileOfImage(image: string, flags: ProfileFlags, terminal: Terminal): Promise<Profile> {
  const access = await registryOptions(flags, [image], terminal)
  const { profileImage } = await import('../profile-static.js')
  const { onWholeLayer, end } = reportWholeLayers(terminal)
  const options = { ...access, platform: flags.platform, signal: terminal.signal, onWholeLayer }
  const { profile, notes } = await profileImage(image, options).finally(end)
  for (const note of notes) terminal.warn(note)
  const { matchesPattern } = await import('@sociable/oci')
  const isKept = ({ path }: ProfileFile): boolean =>
    flags.exclude?.some((pattern) => matchesPattern(path, pattern)) !== true
  return { ...profile, files: profile.files.filter(isKept) }
}

async function profileOfTraces(files: readonly string[], flags: ProfileFlags, terminal: Terminal): Promise<Profile> {
  const { profileFromTraces } = await import('../profile/profile-from-traces.js')
  const { root, exclude } = flags
  const { profile, traces } = await profileFromTraces(
    files.map((file) => openTrace(file, terminal)),
    { root, exclude, signal: terminal.signal },
  )
  for (const { name, unresolved } of traces)
    if (unresolved > 0)
      terminal.warn(
        `${name}: ${plural(unresolved, 'path')} left out: cut short, or relative to a folder that the trace does not show`,
      )
  if (profile.files.length === 0) {
    const { TraceError } = await import('../profile/trace-error.js')
    const hint =
      root === undefined ? 'trace the start of the program' : `check --root: files outside "${root}" are left out`
    throw new TraceError(`no file of an image is read in ${files.join(', ')}: ${hint}`)
  }
  return profile
}

function notEmptyList(text: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, notEmpty(text)]
}

function openTrace(file: string, terminal: Terminal): TraceSource {
  if (file !== '-') return { name: file, content: openLate(file, terminal.signal) }
  if (process.stdin.isTTY) throw new UsageError('standard input is a terminal: pipe a trace in, or name a file')
  return { name: 'stdin', content: addAbortSignal(terminal.signal, process.stdin) }
}

/** Opened when its turn comes. */
async function* openLate(file: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  yield* createReadStream(file, { signal, highWaterMark: 1 << 20 })
}

function checkLines({ image, platform, paths, found, missing, notFiles }: CheckProfileResult): string[] {
  const lines = [`${image} (${platform}) has ${found} of ${plural(paths, 'file')} of the profile`]
  if (missing.length > 0)
    lines.push(`${plural(missing.length, 'path')} missing:`, ...missing.map((path) => `  ${quotePath(path)}`))
  if (notFiles.length > 0)
    lines.push(
      `${plural(notFiles.length, 'path')} not a regular file:`,
      ...notFiles.map((path) => `  ${quotePath(path)}`),
    )
  return lines
}
