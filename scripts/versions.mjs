// The files that have the version of a release, and what they say in the next one. Pure: reads and writes nothing.

/** In the order in which they are published: each needs only those before it. */
export const NPM_PACKAGES = ['ztoc', 'oci', 'sociable']
const PACKAGES = [...NPM_PACKAGES, 'cdk-soci']

/** Those that have a version. */
export const VERSIONED = [
  ...PACKAGES.map((name) => `packages/${name}/package.json`),
  'package-lock.json',
  'action.yml',
  'CHANGELOG.md',
]

/**
 * The texts of these files with another version.
 * @param {string} version
 * @param {Readonly<Record<string, string>>} texts of `VERSIONED`, by name
 * @param {string} date `2026-11-27`
 * @returns {Record<string, string>}
 * @throws Error if a file has no place for the version
 */
export function withVersion(version, texts, date) {
  return Object.fromEntries(
    VERSIONED.map((file) => {
      if (file === 'package-lock.json') return [file, lockWithVersion(version, texts[file])]
      if (file === 'action.yml')
        return [file, replaced(file, texts[file], /^( {4}default: )\d+\.\d+\.\d+\S*$/m, `$1${version}`)]
      if (file === 'CHANGELOG.md')
        return [file, replaced(file, texts[file], headingOf(version), `## ${version} (${date})`)]
      const own = replaced(file, texts[file], /^( {2}"version": )"[^"]+"/m, `$1"${version}"`)
      return [file, own.replace(/^( {4}"@sociable\/[^"]+": )"[^"]+"/gm, `$1"${version}"`)]
    }),
  )
}

/** The version that the packages have. @throws Error if they have several */
export function currentVersion(texts) {
  const versions = new Set(PACKAGES.map((name) => JSON.parse(texts[`packages/${name}/package.json`]).version))
  if (versions.size > 1) throw new Error(`the packages have different versions: ${[...versions].join(', ')}`)
  return [...versions][0]
}

/**
 * What is wrong with the commit of a tag: its files have to have the tag's version.
 * @returns {string[]} one line each
 */
export function tagProblems({ version, current, changelog }) {
  const found = []
  if (version !== current) found.push(`the packages have version ${current}, not ${version}`)
  if (!changelog.includes(`\n## ${version} (`)) found.push(`CHANGELOG.md has no section ${version}`)
  return found
}

/**
 * What keeps a version from being released.
 * @param {{ version: string, current: string, changelog: string, tags: readonly string[] }} release `tags`: those of the repository
 * @returns {string[]} one line each
 */
export function problems({ version, current, changelog, tags }) {
  const parsed = parse(version)
  if (parsed === undefined) return [`"${version}" is not a version: write it as 1.2.3 or 1.2.3-beta.1`]
  const found = []
  if (tags.includes(`v${version}`)) found.push(`the tag v${version} exists: choose another version`)
  if (compare(parsed, parse(current)) < 0)
    found.push(`${version} is lower than ${current}, the version of the packages`)
  if (!headingOf(version).test(changelog))
    found.push(`CHANGELOG.md has no section "Unreleased": describe there what is new in ${version}`)
  return found
}

function headingOf(version) {
  return new RegExp(`^## Unreleased(?: \\(${version.replaceAll('.', '\\.')}\\))?$`, 'm')
}

function lockWithVersion(version, text) {
  const lock = JSON.parse(text)
  for (const name of PACKAGES) {
    const entry = lock.packages[`packages/${name}`]
    entry.version = version
    for (const dependency of Object.keys(entry.dependencies ?? {}))
      if (dependency.startsWith('@sociable/')) entry.dependencies[dependency] = version
  }
  return `${JSON.stringify(lock, undefined, 2)}\n`
}

function replaced(file, text, pattern, replacement) {
  if (!pattern.test(text)) throw new Error(`${file} has no place for the version`)
  return text.replace(pattern, replacement)
}

/** Numbers, and what follows them in a prerelease. */
function parse(version) {
  const [, numbers, prerelease] = /^(\d+\.\d+\.\d+)(?:-([0-9A-Za-z.-]+))?$/.exec(version) ?? []
  return numbers === undefined ? undefined : { numbers: numbers.split('.').map(Number), prerelease }
}

/** A release is higher than its prereleases. */
function compare(a, b) {
  for (let i = 0; i < 3; i++) if (a.numbers[i] !== b.numbers[i]) return a.numbers[i] - b.numbers[i]
  if (a.prerelease === b.prerelease) return 0
  if (a.prerelease === undefined) return 1
  if (b.prerelease === undefined) return -1
  return a.prerelease < b.prerelease ? -1 : 1
}
