import type { ByteRange, Profile, ProfileFile } from './profile.js'

/** One profile of several: each path once, in the order of first use, with all that any of them reads of it. With one trace among them it is no longer static. */
export function mergeProfiles(profiles: readonly Profile[]): Profile {
  const files = new Map<string, ProfileFile>()
  for (const profile of profiles)
    for (const { path, ranges } of profile.files) {
      const known = files.get(path)
      const isWhole = ranges === undefined || (known !== undefined && known.ranges === undefined)
      files.set(path, isWhole ? { path } : { path, ranges: joinRanges([...(known?.ranges ?? []), ...ranges]) })
    }
  const isStatic = profiles.length > 0 && profiles.every((profile) => profile.static)
  return { version: 1, ...(isStatic && { static: true as const }), files: [...files.values()] }
}

/** Sorted, and joined where they touch or overlap; empty ones go. */
export function joinRanges(ranges: readonly ByteRange[]): ByteRange[] {
  const joined: [number, number][] = []
  for (const [start, end] of [...ranges].sort((a, b) => a[0] - b[0])) {
    if (end <= start) continue
    const last = joined.at(-1)
    if (last !== undefined && start <= last[1]) last[1] = Math.max(last[1], end)
    else joined.push([start, end])
  }
  return joined
}
