import { posix } from 'node:path'
import { parentPath } from './layer-tree.js'

/**
 * A symlink's target as a relative path that leads, link by link, to nowhere outside of `root`: going up comes first in it, and no further than the root. Undefined where
 * it leads elsewhere, or goes up again after a name, which may be a link itself.
 * @param path of the symlink, none of whose parents is a symlink
 * @param target as the image has it; an absolute one counts from the image's root
 * @param root path in the image that is extracted, '' for all of it
 */
export function relativeTarget(path: string, target: string, root: string): string | undefined {
  if (target === '' || target.includes('\0')) return undefined
  const parent = parentPath(path)
  const at = target.startsWith('/') || parent === '' ? [] : parent.split('/')
  let isDown = false
  for (const part of target.split('/')) {
    if (part === '' || part === '.') continue
    if (part !== '..') {
      isDown = true
      at.push(part)
    } else if (isDown) return undefined
    else at.pop() // the image's root is above itself
  }
  const place = at.join('/')
  const isWithin = root === '' || place === root || place.startsWith(`${root}/`)
  return isWithin ? posix.relative(`/${parent}`, `/${place}`) || '.' : undefined
}
