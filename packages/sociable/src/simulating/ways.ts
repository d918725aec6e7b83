// The ways of converting an image that a simulation compares.
import type { ConvertOptions } from '../options.js'

/** A way, as options and flags of `convert`. */
export interface Way {
  readonly name: string
  readonly flags: readonly string[]
  readonly options: Pick<
    ConvertOptions,
    'spanSize' | 'minLayerSize' | 'startLayer' | 'startLayerLimit' | 'profileSpans'
  >
  readonly usesProfile: boolean
}

const MEBIBYTE = 1 << 20
const PROFILE = ['--profile', 'FILE']

export const PLAIN = 'SOCI index'
export const PROFILED = 'profile'

/** In the order in which they are preferred if they take the same time. */
export const WAYS: readonly Way[] = [
  { name: PLAIN, flags: [], options: {}, usesProfile: false },
  plain('spans of 8 MiB', ['--span-size', '8MiB'], { spanSize: 8 * MEBIBYTE }),
  plain('spans of 16 MiB', ['--span-size', '16MiB'], { spanSize: 16 * MEBIBYTE }),
  plain('layers from 1 MiB', ['--min-layer-size', '1MiB'], { minLayerSize: MEBIBYTE }),
  plain('layers from 50 MiB', ['--min-layer-size', '50MiB'], { minLayerSize: 50 * MEBIBYTE }),
  { name: PROFILED, flags: PROFILE, options: {}, usesProfile: true },
  profiled('files up to 512 KiB copied', ['--start-layer-limit', '512KiB'], { startLayerLimit: MEBIBYTE / 2 }),
  profiled('files up to 4 MiB copied', ['--start-layer-limit', '4MiB'], { startLayerLimit: 4 * MEBIBYTE }),
  profiled('files up to 16 MiB copied', ['--start-layer-limit', '16MiB'], { startLayerLimit: 16 * MEBIBYTE }),
  profiled('no start layer', ['--start-layer', 'none'], { startLayer: 'none' }),
  profiled('spans by size', ['--profile-spans', 'off'], { profileSpans: false }),
]

function plain(name: string, flags: readonly string[], options: Way['options']): Way {
  return { name: `${PLAIN}, ${name}`, flags, options, usesProfile: false }
}

function profiled(name: string, flags: readonly string[], options: Way['options']): Way {
  return { name: `${PROFILED}, ${name}`, flags: [...PROFILE, ...flags], options, usesProfile: true }
}
