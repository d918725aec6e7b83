// `npm run release`, as far as it goes without publishing, and what it packs, installed with npm, pnpm and yarn.
import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { TestFolder } from '../support/folder.js'

const root = fileURLToPath(new URL('../../../../../', import.meta.url))
const run = promisify(execFile)
const npmShell = process.platform === 'win32' // npm is a script there

interface Versions {
  readonly VERSIONED: readonly string[]
  withVersion(version: string, texts: Readonly<Record<string, string>>, date: string): Record<string, string>
  currentVersion(texts: Readonly<Record<string, string>>): string
  problems(release: {
    readonly version: string
    readonly current: string
    readonly changelog: string
    readonly tags: readonly string[]
  }): string[]
  tagProblems(release: { readonly version: string; readonly current: string; readonly changelog: string }): string[]
}
interface Tools {
  ensureNode(major: string): string
  ensurePackages(...packages: readonly string[]): string
}
const load = async (name: string): Promise<unknown> => await import(new URL(`scripts/${name}`, `file://${root}`).href)
const versions = (await load('versions.mjs')) as Versions
const tools = (await load('tools.mjs')) as Tools
const texts = Object.fromEntries(versions.VERSIONED.map((file) => [file, readFileSync(join(root, file), 'utf8')]))
const current = versions.currentVersion(texts)

test('a new version changes every file that has one, and nothing else in them', () => {
  const unreleased = { ...texts, 'CHANGELOG.md': '# Changelog\n\n## Unreleased\n\n- new\n' }
  const bumped = versions.withVersion('12.34.56', unreleased, '2026-11-27')
  for (const file of versions.VERSIONED) {
    const [before, after] = [unreleased, bumped].map((all) => all[file as keyof typeof all]!.split('\n'))
    const changed = after!.filter((line, i) => line !== before![i])
    assert.equal(before!.length, after!.length, file)
    assert.ok(changed.length > 0 && changed.every((line) => line.includes('12.34.56')), `${file}: ${changed.join()}`)
  }
  assert.equal(versions.currentVersion(bumped), '12.34.56')
  const { dependencies } = JSON.parse(bumped['packages/sociable/package.json']!)
  assert.deepEqual([dependencies['@sociable/oci'], dependencies['@sociable/ztoc']], ['12.34.56', '12.34.56'])
  assert.match(bumped['CHANGELOG.md']!, /^## 12\.34\.56 \(2026-11-27\)$/m)
  assert.throws(
    () => versions.withVersion('1.0.0', { ...unreleased, 'action.yml': '' }, ''),
    /action\.yml has no place/,
  )
})

test('what keeps a version from being released', () => {
  const release = { current: '1.2.3', changelog: '## Unreleased (1.3.0)\n', tags: ['v1.2.3'] }
  const found = (version: string, more: object = {}) => versions.problems({ ...release, version, ...more }).join('\n')
  assert.equal(found('1.3.0'), '')
  assert.match(found('1.3'), /is not a version/)
  assert.match(found('1.2.3'), /the tag v1\.2\.3 exists/)
  assert.match(found('1.2.0', { changelog: '## Unreleased\n' }), /lower than 1\.2\.3/)
  assert.match(found('1.2.3-rc.1', { changelog: '## Unreleased\n' }), /lower than 1\.2\.3/)
  assert.equal(found('1.10.0', { changelog: '## Unreleased\n' }), '')
  assert.match(found('2.0.0'), /no section "Unreleased"/)
  const tag = { version: '1.2.3', current: '1.2.3', changelog: '# C\n\n## 1.2.3 (2026-01-01)\n' }
  assert.deepEqual(versions.tagProblems(tag), [])
  assert.equal(versions.tagProblems({ ...tag, version: '1.2.4' }).length, 2)
})

const folder = new TestFolder()
const output = folder.fresh()
let packed = false
/** What the changelog says comes next, or has just come. */
const unreleased = /^## Unreleased(?: \((.+)\))?$/m.exec(texts['CHANGELOG.md']!)
const version =
  unreleased === null ? current : (unreleased[1] ?? current.replace(/\d+$/, (patch) => `${Number(patch) + 1}`))

before(async () => {
  try {
    const args = [version, '--built', '--output', output, ...(unreleased === null ? ['--tagged'] : [])]
    await run(process.execPath, [join(root, 'scripts/release.mjs'), ...args])
    packed = true
  } catch (error) {
    // Without a network there is no tool for the SBOM
    if (process.env.CI === 'true' || !/npm could not install/.test((error as { stderr?: string }).stderr ?? ''))
      throw error
  }
})

test('the dry run packs the npm packages, with checksums and an SBOM, and changes no file', (t) => {
  if (!packed) return t.skip('the tool for the SBOM is not available')
  const sbom = `sociable-${version}.cdx.json`
  const archives = ['sociable-oci', 'sociable-ztoc', 'sociable'].map((name) => `${name}-${version}.tgz`)
  assert.deepEqual(readdirSync(output).sort(), [...archives, sbom, 'SHA256SUMS'].sort())
  const sums = readFileSync(join(output, 'SHA256SUMS'), 'utf8').trim().split('\n')
  assert.equal(sums.length, 4)
  for (const line of sums) {
    const [sum, name] = line.split('  ')
    assert.equal(
      createHash('sha256')
        .update(readFileSync(join(output, name!)))
        .digest('hex'),
      sum,
    )
  }
  const { specVersion, components } = JSON.parse(readFileSync(join(output, sbom), 'utf8')) as {
    readonly specVersion: string
    readonly components: readonly { readonly group?: string; readonly name: string; readonly version: string }[]
  }
  assert.match(specVersion, /^1\.\d$/)
  const names = components.map(({ group, name }) => (group === undefined ? name : `${group}/${name}`))
  // What is needed at run time, what that needs, and what is compiled in; no tool of the build
  for (const name of ['@sociable/ztoc', 'sociable', 'cdk-soci', 'undici', '@smithy/core', '@bokuweb/zstd-wasm'])
    assert.ok(names.includes(name), name)
  for (const name of ['typescript', 'jsii', 'esbuild', '@biomejs/biome']) assert.ok(!names.includes(name), name)
  for (const file of versions.VERSIONED) assert.equal(readFileSync(join(root, file), 'utf8'), texts[file], file)
})

/** How each manager installs archives in place of the registry's packages of the same names. */
const MANAGERS = {
  npm: {
    program: ['npm'],
    install: ['install', '--no-audit', '--no-fund'],
    overrides: (own: object) => ({ overrides: own }),
  },
  pnpm: {
    program: ['pnpm@10.34.8', 'pnpm/bin/pnpm.cjs'],
    install: ['install', '--ignore-workspace'],
    overrides: (own: object) => ({ pnpm: { overrides: own } }),
  },
  yarn: {
    program: ['@yarnpkg/cli-dist@4.18.1', '@yarnpkg/cli-dist/bin/yarn.js'],
    install: ['install', '--no-immutable'],
    overrides: (own: object) => ({ resolutions: own }),
  },
} as const

// Another Node for each manager, so that one run sees several: SOCIABLE_TEST_NODES="20 22 24 26" tries all with all
const NODES = process.env.SOCIABLE_TEST_NODES?.split(' ')
for (const [name, { program, install, overrides }] of Object.entries(MANAGERS))
  for (const major of NODES ?? [name === 'pnpm' ? '24' : process.versions.node.split('.')[0]!])
    test(`what is packed installs with ${name}, and runs on Node ${major}`, async (t) => {
      if (!packed) return t.skip('nothing was packed')
      const cwd = folder.fresh()
      mkdirSync(cwd)
      const [node, manager] = findManager()
      const archive = (name: string) => `file:${join(output, `${name}-${version}.tgz`)}`
      const below = { '@sociable/oci': archive('sociable-oci'), '@sociable/ztoc': archive('sociable-ztoc') }
      const own = { sociable: archive('sociable'), ...below }
      writeFileSync(
        join(cwd, 'package.json'),
        JSON.stringify({ name: 'app', private: true, type: 'module', dependencies: own, ...overrides(below) }),
      )
      const env = {
        ...process.env,
        PATH: `${dirname(node)}${delimiter}${process.env.PATH}`,
        YARN_NODE_LINKER: 'node-modules',
        YARN_ENABLE_TELEMETRY: '0',
        YARN_ENABLE_GLOBAL_CACHE: 'false',
      }
      await run(manager[0]!, [...manager.slice(1), ...install], { cwd, env, shell: npmShell && name === 'npm' })
      const bin = join(cwd, 'node_modules', 'sociable', 'bin', 'sociable.js')
      assert.equal(execFileSync(node, [bin, '--version'], { encoding: 'utf8' }), `${version}\n`)
      assert.match(execFileSync(node, [bin, 'ztoc', '-'], { input: Buffer.alloc(1024), encoding: 'utf8' }), /^sha256:/)
      writeFileSync(
        join(cwd, 'use.js'),
        "import { convert, openStore } from 'sociable'; console.log(typeof convert, typeof openStore)",
      )
      assert.equal(execFileSync(node, ['use.js'], { cwd, encoding: 'utf8' }), 'function function\n')

      function findManager(): [node: string, manager: readonly string[]] {
        const node = tools.ensureNode(major)
        const [spec, file] = program
        if (file === undefined) return [node, [spec]]
        return [node, [node, join(tools.ensurePackages(spec), file)]]
      }
    })
