// What the commands that read an image's files share.
import type { Option } from 'commander'
import type { Image } from '../image.js'
import { formatSize, plural, shortDigest } from './format.js'
import { option } from './option.js'
import type { Terminal } from './terminal.js'
import { checkPlatform } from './values.js'

export const platformOption = (): Option =>
  option(
    '-p, --platform <platform>',
    "read this platform's files (default: the machine's, else the only one)",
    checkPlatform,
  )

/** Opens the image, hands it on, and closes it whatever happens; tells what was fetched where --verbose asks. */
export async function withImage(
  name: string,
  platform: string | undefined,
  terminal: Terminal,
  use: (image: Image) => Promise<void>,
): Promise<void> {
  const { openImage } = await import('../image.js')
  const image = await openImage(name, { platform, signal: terminal.signal })
  try {
    await use(image)
    const { bytes, requests, ztocs, wholeLayers, imageBytes } = image.statistics
    for (const layer of wholeLayers) terminal.warn(`layer ${shortDigest(layer)} has no index: all of it was read`)
    if (terminal.verbose)
      terminal.note(
        `${image.platform}: fetched ${formatSize(bytes)} of ${formatSize(imageBytes)} in ${plural(requests, 'request')}, with ${plural(ztocs, 'zTOC')}`,
      )
  } finally {
    await image.close()
  }
}
