import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const packages = fileURLToPath(new URL('../../../../', import.meta.url))

interface Packed {
  readonly name: string
  readonly files: readonly { readonly path: string; readonly mode: number }[]
}

/** What `npm publish` would upload of a package, and what it warns of. */
function pack(folder: string): { packed: Packed; warnings: string[] } {
  const shell = process.platform === 'win32' // npm is a script there
  const { stdout, stderr, status } = spawnSync('npm', ['publish', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: join(packages, folder),
    encoding: 'utf8',
    shell,
  })
  assert.equal(status, 0, stderr)
  const result = JSON.parse(stdout) as Packed | Record<string, Packed>
  const warnings = stderr.split('\n').filter((line) => /\bwarn\b/i.test(line) && !line.includes('logged in'))
  return { packed: 'files' in result ? (result as Packed) : Object.values(result)[0]!, warnings }
}

for (const folder of ['ztoc', 'oci', 'sociable']) {
  test(`${folder}: publishes without warnings, with its licence and README, without tests`, () => {
    const { packed, warnings } = pack(folder)
    assert.deepEqual(warnings, [])
    const paths = packed.files.map(({ path }) => path)
    for (const path of ['LICENSE', 'README.md', 'package.json']) assert.ok(paths.includes(path), path)
    assert.deepEqual(
      paths.filter((path) => /(^|\/)test\/|\.tsbuildinfo$|\.test\./.test(path)),
      [],
    )
  })

  test(`${folder}: everything that package.json points to is in the package`, () => {
    const { packed } = pack(folder)
    const manifest = JSON.parse(readFileSync(join(packages, folder, 'package.json'), 'utf8'))
    const targets = [
      ...Object.values(manifest.bin ?? {}),
      ...Object.values(manifest.exports).flatMap((entry) =>
        typeof entry === 'string' ? [entry] : Object.values(entry as object),
      ),
    ].map((path) => String(path).replace(/^\.\//, ''))
    assert.ok(targets.length > 0)
    const paths = packed.files.map(({ path }) => path)
    for (const target of targets) assert.ok(paths.includes(target), target)
    for (const field of ['repository', 'homepage', 'bugs', 'keywords', 'author', 'license'])
      assert.ok(manifest[field] !== undefined, field)
    assert.equal(manifest.publishConfig.access, 'public')
  })
}

test('the linked program runs, whatever the folder it is called from', () => {
  const program = join(packages, 'sociable/bin/sociable.js')
  const { stdout, status } = spawnSync(process.execPath, [program, '--version'], { cwd: '/', encoding: 'utf8' })
  assert.equal(status, 0)
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/)
})
