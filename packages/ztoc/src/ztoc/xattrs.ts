import type { Toc } from './toc.js'

// What makes a runtime look for extended attributes (soci/soci_index.go, shouldDisableXattrs)

/** An entry whose name ends so hides what lower layers have in its folder; overlayfs keeps that as an attribute. */
export const OPAQUE_WHITEOUT = '.wh..wh..opq'
/** PAX records of this prefix are attributes. */
export const XATTR_PREFIX = 'SCHILY.xattr.'

/** `IndexedLayer.hasXattrs`, of a decoded zTOC. */
export function hasXattrs({ files }: Toc): boolean {
  for (const { name, paxRecords } of files)
    if (name.endsWith(OPAQUE_WHITEOUT) || paxRecords.some(({ key }) => key.startsWith(XATTR_PREFIX))) return true
  return false
}
