// What a profile names in an image: its paths resolved through symlinks, as the union of the layers shows them.
import { RUNTIME_FILES } from '../indexing/settings.js'
import { joinRanges } from '../profile/merge-profiles.js'
import type { ByteRange, Profile } from '../profile/profile.js'
import { join, linkNameOf, MAX_PATH_LENGTH, parentPath } from '../reading/layer-tree.js'
import type { Found, Union } from '../reading/union.js'

/** A regular file that the profile names. */
export interface ProfiledFile {
  /** Where its bytes are: the entry of a hard link's target. */
  readonly content: Found
  /** Its real path. */
  readonly path: string
  /** What of it is read, sorted and disjoint; undefined where that is all. */
  readonly ranges: readonly ByteRange[] | undefined
}

export interface ResolvedProfile {
  /** Each file once, in the order of first use. */
  readonly files: readonly ProfiledFile[]
  /** The symlinks that lead to them, by path. */
  readonly symlinks: ReadonlyMap<string, Found>
  /** Paths of the profile that the image does not have. */
  readonly missing: readonly string[]
  /** Paths of folders, devices and pipes. */
  readonly notFiles: readonly string[]
}

/** As Linux's own limit. */
const MAX_SYMLINKS = 40

export async function resolveProfile(
  union: Union,
  profile: Profile,
  signal: AbortSignal | undefined,
): Promise<ResolvedProfile> {
  const walker = new Walker(union)
  const isExpected = (path: string): boolean => !RUNTIME_FILES.includes(path)
  const files = new Map<string, { content: Found; path: string; ranges: readonly ByteRange[] | undefined }>()
  const symlinks = new Map<string, Found>()
  const missing: string[] = []
  const notFiles: string[] = []
  for (const { path, ranges } of profile.files) {
    signal?.throwIfAborted()
    const walked = await walker.walk(path)
    if (walked === undefined) {
      if (isExpected(path)) missing.push(path)
      continue
    }
    const { found, links } = walked
    const content = found.entry === undefined ? undefined : await union.hardlinkTarget(found).catch(() => undefined)
    if (content?.entry?.type !== 'reg') {
      if (isExpected(path)) notFiles.push(path)
      continue
    }
    for (const link of links) if (link.entry?.type === 'symlink') symlinks.set(link.path, link)
    const key = `${content.layer!.digest} ${content.entry.index}`
    const known = files.get(key)
    if (known === undefined) files.set(key, { content, path: found.path, ranges })
    else known.ranges = known.ranges && ranges && joinRanges([...known.ranges, ...ranges])
  }
  return { files: [...files.values()], symlinks, missing, notFiles }
}

interface Walked {
  readonly found: Found
  /** Symlinks that were followed. */
  readonly links: readonly Found[]
}

/** Follows paths, each folder looked up once. */
class Walker {
  readonly #union: Union
  readonly #known = new Map<string, Promise<Found | undefined>>()

  constructor(union: Union) {
    this.#union = union
  }

  /** Undefined where nothing is there. */
  async walk(path: string): Promise<Walked | undefined> {
    const pending = path.split('/').reverse()
    const links: Found[] = []
    let at: Found = { path: '', layer: undefined, entry: undefined }
    while (pending.length > 0) {
      const part = pending.pop()!
      if (part === '' || part === '.') continue
      if (at.entry !== undefined && at.entry.type !== 'dir') return undefined
      if (part === '..') {
        at = (await this.#lookup(parentPath(at.path)))!
        continue
      }
      const next = await this.#lookup(join(at.path, part))
      if (next === undefined) return undefined
      const target = next.entry?.type === 'hardlink' ? await this.#union.hardlinkTarget(next).catch(() => next) : next
      if (target.entry?.type !== 'symlink') at = next
      else if (links.length === MAX_SYMLINKS || linkNameOf(target.entry).length > MAX_PATH_LENGTH) return undefined
      else {
        links.push(next)
        if (linkNameOf(target.entry).startsWith('/')) at = { path: '', layer: undefined, entry: undefined }
        pending.push(...linkNameOf(target.entry).split('/').reverse())
      }
    }
    return { found: at, links }
  }

  #lookup(path: string): Promise<Found | undefined> {
    let found = this.#known.get(path)
    if (found === undefined) {
      found = this.#union.lookup(path, true)
      this.#known.set(path, found)
    }
    return found
  }
}
