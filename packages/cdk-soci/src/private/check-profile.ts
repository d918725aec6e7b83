/** Bytes: the library takes no more. */
const LIMIT = 64 << 20

/** @throws Error with the file and what to do, where it is not a profile */
export function checkProfile(path: string, text: string): void {
  const problem = problemOf(text)
  if (problem !== undefined)
    throw new Error(
      `${path} ${problem}: make it with \`sociable profile LOG --output ${path}\`, or with --static IMAGE`,
    )
}

function problemOf(text: string): string | undefined {
  if (text.length > LIMIT) return `has more than ${LIMIT} characters`
  let profile: unknown
  try {
    profile = JSON.parse(text)
  } catch {
    return 'is not JSON'
  }
  if (typeof profile !== 'object' || profile === null || !('files' in profile) || !Array.isArray(profile.files))
    return 'is not a profile: it has no list of files'
  const { version, files } = profile as { version?: unknown; files: readonly unknown[] }
  if (version !== 1) return `is a profile of version ${JSON.stringify(version)}, not 1`
  const wrong = files.findIndex((file) => typeof (file as { path?: unknown } | null)?.path !== 'string')
  return wrong < 0 ? undefined : `has a file without a path (number ${wrong + 1})`
}
