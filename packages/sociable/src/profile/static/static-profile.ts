// A profile without a trace: what an image's files say that its start reads.

import type { Profile } from '../profile.js'
import { cleanPath } from '../trace-path.js'
import { followCommand } from './command.js'
import type { ImageFiles } from './image-files.js'
import { Start, type StartConfig } from './start.js'

export interface StaticProfile {
  readonly profile: Profile
  /** What could not be followed. */
  readonly notes: readonly string[]
}

/** What runtimes, the C library and OpenSSL read whatever the program is. All are small. */
const COMMON = [
  '/etc/passwd',
  '/etc/group',
  '/etc/localtime',
  '/etc/nsswitch.conf',
  '/etc/host.conf',
  '/etc/ssl/openssl.cnf',
]

export async function staticProfile(
  files: ImageFiles,
  config: StartConfig,
  signal: AbortSignal | undefined,
): Promise<StaticProfile> {
  const start = new Start(files, config, signal)
  await followCommand(start, config)
  for (const path of COMMON) await start.add(path)
  return {
    profile: { version: 1, static: true, files: start.added.filter(({ path }) => cleanPath(path) === path) },
    notes: start.notes,
  }
}
