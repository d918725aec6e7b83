// `npm run release -- VERSION`: builds the last commit in a folder of its own, with that version, and packs everything that a release consists of: packages for
// npm, PyPI, Maven, NuGet and Go, an SBOM and checksums. It never publishes, and changes no file of the tree unless --write is given. CONTRIBUTING.md has the steps.
//   --write            also put the version into the files of the tree, to be committed
//   --languages LIST   of cdk-soci, such as js,python (default: all that the machine has tools for); none for none
//   --built            pack what is built in this tree instead of the last commit: quick, and without cdk-soci
//   --tagged           the last commit is the one of the tag: its files have the version already. For the release workflow
//   --output FOLDER    where everything goes (default: .cache/release/VERSION)
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { ensurePackages, find } from './tools.mjs'
import { currentVersion, NPM_PACKAGES, problems, tagProblems, VERSIONED, withVersion } from './versions.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const CYCLONEDX = '@cyclonedx/cyclonedx-npm'
const CYCLONEDX_VERSION = '6.0.1'
/** Development dependencies whose code is in what is published: they belong into the SBOM, too. */
const BUNDLED = { ztoc: /^@bokuweb\/zstd-wasm$/, 'cdk-soci': /^@aws-sdk\// }
/** Tools that jsii-pacmak needs to pack for a language. */
const LANGUAGES = { js: ['npm'], python: ['python3'], java: ['java', 'mvn'], go: [], dotnet: [] }

if (process.argv[1] === fileURLToPath(import.meta.url)) main()

function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      write: { type: 'boolean' },
      built: { type: 'boolean' },
      tagged: { type: 'boolean' },
      languages: { type: 'string' },
      output: { type: 'string' },
    },
  })
  const [version, ...rest] = positionals
  if (version === undefined || rest.length > 0)
    stop('usage: npm run release -- VERSION [--write] [--languages LIST] [--built]')
  try {
    release(version, values)
  } catch (error) {
    stop(error.message)
  }
}

function release(
  version,
  { write = false, built = false, tagged = false, languages, output = join(root, '.cache', 'release', version) },
) {
  const texts = Object.fromEntries(VERSIONED.map((file) => [file, readFileSync(join(root, file), 'utf8')]))
  const current = currentVersion(texts)
  const changelog = texts['CHANGELOG.md']
  const found = tagged
    ? tagProblems({ version, current, changelog })
    : problems({ version, current, changelog, tags: git('tag', '--list').split('\n') })
  if (found.length > 0) throw new Error(found.join('\n'))
  const bumped = tagged ? texts : withVersion(version, texts, new Date().toISOString().slice(0, 10))
  const changes = git('status', '--porcelain')
  if (changes !== '' && !built)
    say(`warning: these changes are not part of the release, as they are not committed:\n${changes}`)

  const folder = resolve(output)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const work = mkdtempSync(join(tmpdir(), 'sociable-release-'))
  try {
    const source = built ? root : buildLastCommit(join(work, 'source'), bumped)
    for (const name of NPM_PACKAGES)
      say(`packed ${packForNpm(join(source, 'packages', name), join(work, name), folder, bumped, name)}`)
    if (!built) packConstructs(source, folder, languages)
    writeSbom(join(work, 'lock'), join(folder, `sociable-${version}.cdx.json`), bumped, version)
    writeChecksums(folder)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  if (write) for (const [file, text] of Object.entries(bumped)) writeFileSync(join(root, file), text)
  say(`${folder} has everything of ${version}. Nothing was published.`)
  say(
    write
      ? `The version is in the files: commit them, and push the tag v${version}.`
      : 'No file of this tree was changed: --write puts the version into them.',
  )
}

/** The last commit with the new version, installed and built. Gives its folder. */
function buildLastCommit(folder, bumped) {
  mkdirSync(folder)
  const archive = `${folder}.tar`
  git('archive', '--format=tar', `--output=${archive}`, 'HEAD')
  run('tar', ['-xf', archive, '-C', folder])
  for (const [file, text] of Object.entries(bumped)) writeFileSync(join(folder, file), text)
  symlinkSync(join(root, '.cache'), join(folder, '.cache')) // tools that were installed before
  say('building the last commit …')
  run(process.execPath, ['scripts/build.mjs'], { cwd: folder })
  run(process.execPath, ['packages/sociable/scripts/docs.mjs', '--check'], { cwd: folder })
  return folder
}

/**
 * Packs what npm would publish of a package. Gives the archive's name.
 * @throws Error if npm has a warning about it
 */
function packForNpm(from, work, folder, bumped, name) {
  const [{ files }] = json(npm(['pack', '--dry-run', '--json', '--ignore-scripts'], from))
  for (const { path } of files) {
    mkdirSync(dirname(join(work, path)), { recursive: true })
    cpSync(join(from, path), join(work, path))
  }
  writeFileSync(join(work, 'package.json'), bumped[`packages/${name}/package.json`])
  const dry = npm(['publish', '--dry-run', '--ignore-scripts'], work)
  const warnings = dry.stderr.split('\n').filter((line) => /\bwarn\b/i.test(line) && !line.includes('logged in'))
  if (warnings.length > 0) throw new Error(`npm publish warns of packages/${name}:\n${warnings.join('\n')}`)
  const [{ filename }] = json(npm(['pack', '--json', '--ignore-scripts', '--pack-destination', folder], work))
  return filename
}

/** Packs cdk-soci for these languages, by default all that the machine has the tools for. */
function packConstructs(source, folder, languages) {
  const lacking = (language) => LANGUAGES[language].filter((tool) => find(tool) === undefined)
  const wanted =
    languages === undefined ? Object.keys(LANGUAGES) : languages.split(',').filter((name) => name !== 'none')
  const unknown = wanted.find((language) => LANGUAGES[language] === undefined)
  if (unknown !== undefined)
    throw new Error(`"${unknown}" is not a language of cdk-soci: choose from ${Object.keys(LANGUAGES).join(', ')}`)
  const possible = wanted.filter((language) => lacking(language).length === 0)
  for (const language of wanted)
    if (!possible.includes(language))
      say(`warning: not packed for ${language}, as this machine has no ${lacking(language).join(' and no ')}`)
  if (possible.length === 0) return
  say(`packing cdk-soci for ${possible.join(', ')} …`)
  run(process.execPath, ['packages/cdk-soci/scripts/package.mjs', ...possible], { cwd: source })
  const made = join(source, 'packages/cdk-soci/dist')
  for (const name of [...possible, 'template'])
    if (existsSync(join(made, name))) cpSync(join(made, name), join(folder, 'cdk-soci', name), { recursive: true })
}

/** A CycloneDX SBOM of all packages and what they need at run time, from the lock file alone. The same for the same lock file. */
function writeSbom(work, file, bumped, version) {
  const put = (name, value) => {
    mkdirSync(dirname(join(work, name)), { recursive: true })
    writeFileSync(join(work, name), JSON.stringify(value))
  }
  put('package.json', {
    ...JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')),
    name: 'sociable-release',
    version,
  })
  const lock = JSON.parse(bumped['package-lock.json'])
  Object.assign(lock.packages[''], { name: 'sociable-release', version })
  for (const path of VERSIONED.filter((name) => name.endsWith('/package.json'))) {
    const manifest = JSON.parse(bumped[path])
    const bundled = BUNDLED[basename(dirname(path))]
    for (const each of [manifest, lock.packages[dirname(path)]])
      for (const [name, range] of Object.entries(each.devDependencies ?? {}))
        if (bundled?.test(name)) {
          each.dependencies = { ...each.dependencies, [name]: range }
          delete each.devDependencies[name]
        }
    put(path, manifest)
  }
  put('package-lock.json', lock)
  const modules = ensurePackages(`${CYCLONEDX}@${CYCLONEDX_VERSION}`)
  const program = join(modules, CYCLONEDX, 'bin', 'cyclonedx-npm-cli.js')
  const options = [
    '--omit',
    'dev',
    '--package-lock-only',
    '--output-reproducible',
    '--validate',
    '--mc-type',
    'library',
  ]
  run(process.execPath, [program, ...options, '--output-file', file], { cwd: work })
}

/** `SHA256SUMS`, as `sha256sum --check` reads it. */
function writeChecksums(folder) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const paths = files.map((entry) =>
    join(entry.parentPath, entry.name)
      .slice(folder.length + 1)
      .replaceAll('\\', '/'),
  )
  const lines = paths.sort().map(
    (path) =>
      `${createHash('sha256')
        .update(readFileSync(join(folder, path)))
        .digest('hex')}  ${path}`,
  )
  writeFileSync(join(folder, 'SHA256SUMS'), `${lines.join('\n')}\n`)
}

function npm(args, cwd) {
  return run('npm', args, { cwd, shell: process.platform === 'win32' }) // npm is a script there
}

function json({ stdout }) {
  const value = JSON.parse(stdout)
  return Array.isArray(value) ? value : Object.values(value)
}

function git(...args) {
  return run('git', args, { cwd: root }).stdout.trimEnd()
}

/** @throws Error with what the program printed, if it fails */
function run(program, args, options = {}) {
  const { status, error, stdout, stderr } = spawnSync(program, args, {
    encoding: 'utf8',
    maxBuffer: 64 << 20,
    ...options,
  })
  if (status !== 0)
    throw new Error(`${basename(program)} ${args.join(' ')} failed: ${error?.message ?? `${stdout}${stderr}`.trim()}`)
  return { stdout, stderr }
}

function say(text) {
  console.log(text)
}

function stop(message) {
  for (const line of message.split('\n')) console.error(`release: ${line}`)
  process.exit(1)
}
