// The flags of `convert` for what a start reads.
import { createReadStream } from 'node:fs'
import type { Command } from 'commander'
import type { ConvertOptions, StartLayerKind } from '../options.js'
import { UsageError } from './failure.js'
import { formatBinarySize } from './format.js'
import { addOptions, option } from './option.js'
import { parseFiles, parseOnOff, parseSize, parseStartLayer } from './values.js'

export interface ProfileFlags {
  readonly profile?: readonly string[]
  readonly startLayer?: StartLayerKind
  readonly startLayerLimit?: number
  readonly profileSpans?: boolean
}

export function addProfileOptions(command: Command): Command {
  return addOptions(
    command,
    option(
      '--profile <file>',
      'profile of the files that a start reads, from `sociable profile`; repeatable',
      parseFiles,
    ),
    option(
      '--start-layer <kind>',
      'compression of the start layer: zstd, gzip, or none for no start layer (default: zstd)',
      parseStartLayer,
    ),
    option(
      '--start-layer-limit <size>',
      'largest file in the start layer (default: 4MiB; up to 16MiB for files that are mostly read)',
      parseSize,
    ),
    option('--profile-spans <on|off>', 'cut spans at the parts that the profile lists (default: on)', parseOnOff),
  )
}

/** @throws UsageError where a profile cannot be read */
export async function profileOptions(flags: ProfileFlags): Promise<ConvertOptions> {
  const { startLayer, startLayerLimit, profileSpans } = flags
  if (flags.profile === undefined) {
    const name = Object.entries({ startLayer, startLayerLimit, profileSpans }).find(
      ([, value]) => value !== undefined,
    )?.[0]
    if (name === undefined) return {}
    throw new UsageError(`--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} needs --profile`)
  }
  const { decodeProfile, MAX_PROFILE_LENGTH } = await import('../profile/decode-profile.js')
  const profile = await Promise.all(
    flags.profile.map(async (file) => {
      try {
        return decodeProfile(await readText(file, MAX_PROFILE_LENGTH))
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message : String(cause)
        throw new UsageError(`--profile "${file}" cannot be used: ${reason}`, { cause })
      }
    }),
  )
  return { profile, startLayer, startLayerLimit, profileSpans }
}

/** Stops at the limit: a device or a pipe may never end. */
async function readText(file: string, limit: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) {
    length += chunk.length
    if (length > limit) throw new TypeError(`it is larger than the limit of ${formatBinarySize(limit)}`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}
