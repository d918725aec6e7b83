// What the commands that read an image's files share.
import type { Option } from 'commander'
import type { FetchStatistics, Image } from '../image.js'
import { unquotePath } from '../reading/quote-path.js'
import { formatSize, plural } from './format.js'
import { option } from './option.js'
import { type RegistryFlags, registryOptions } from './registry-options.js'
import type { Terminal } from './terminal.js'
import { checkPlatform } from './values.js'
import { reportWholeLayers } from './whole-layers.js'

export const platformOption = (): Option =>
  option(
    '-p, --platform <platform>',
    "read this platform's files (default: the machine's, else the only one)",
    checkPlatform,
  )

export interface ReadingFlags extends RegistryFlags {
  readonly platform?: string
  readonly layerLimit?: number
}

/** Opens the image for `use` and closes it afterwards. With --verbose, prints what was fetched. */
export async function withImage(
  name: string,
  flags: ReadingFlags,
  terminal: Terminal,
  use: (image: Image) => Promise<void>,
): Promise<void> {
  const access = await registryOptions(flags, [name], terminal)
  const { openImage } = await import('../image.js')
  const { onWholeLayer, end } = reportWholeLayers(terminal)
  const { platform, layerLimit } = flags
  const image = await openImage(name, { ...access, platform, layerLimit, signal: terminal.signal, onWholeLayer })
  if (image.attachedIndex !== undefined)
    terminal.warn(
      `reading through SOCI index ${image.attachedIndex} (v1), which the image's digest does not cover: anyone who may push to its repository can attach one`,
    )
  try {
    await use(image)
    if (terminal.verbose) terminal.note(`${image.platform}: ${describe(image.statistics)}`)
  } finally {
    end()
    await image.close()
  }
}

/** `fetched 4.3 MB of 12.0 MB in 4 requests, 1 zTOC, 1 layer without an index read whole`. */
function describe({ bytes, requests, ztocs, wholeLayers, imageBytes }: FetchStatistics): string {
  const parts = [`fetched ${formatSize(bytes)} of ${formatSize(imageBytes)} in ${plural(requests, 'request')}`]
  parts.push(plural(ztocs, 'zTOC'))
  if (wholeLayers.length > 0) parts.push(`${plural(wholeLayers.length, 'layer')} without an index read whole`)
  return parts.join(', ')
}

/** A path as the user wrote it; one in the quoted form that `ls` prints is unquoted, unless the image has a file of just that name. */
export async function imagePath(image: Image, text: string, signal: AbortSignal): Promise<string> {
  const unquoted = unquotePath(text)
  if (unquoted === undefined) return text
  const isThere = await image.stat(text, { signal }).then(
    () => true,
    () => false,
  )
  return isThere ? text : unquoted
}
