import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../../', import.meta.url))

/** Every import of the sources: of which file, of what. */
function imports(): [file: string, name: string][] {
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).map((file) =>
    file.replaceAll('\\', '/'),
  )
  return files
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => {
      const text = readFileSync(join(root, 'src', file), 'utf8')
      const found = text.matchAll(/^(?:import|export|\}).* from '([^']+)'|^import '([^']+)'|import\('([^']+)'\)/gm)
      return [...found].map(([, ...names]): [string, string] => [file, names.find((name) => name !== undefined)!])
    })
}

test('imports point one way: the library knows the packages below it, not the programs', () => {
  for (const [file, name] of imports().filter(([file]) => !/^(cli|docker)\//.test(file)))
    assert.match(
      name,
      file === 'publishing/aws-access.ts'
        ? /^@aws-sdk\/client-(ecr|sts)$|^@sociable\/oci\/registry$|^\.\.?\/(?!.*cli\/)/
        : /^node:|^acorn$|^fflate$|^fzstd$|^resolve\.exports$|^@sociable\/(ztoc|oci|oci\/registry)$|^\.\.?\/(?!.*cli\/)/,
      `${file} imports ${name}`,
    )
})

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly version: string }

const dependenciesOf = (folder: string) =>
  (
    JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
      readonly dependencies?: Readonly<Record<string, string>>
    }
  ).dependencies ?? {}

/** `profile --static` reads JavaScript and its packages by them. */
const SCANNERS = { acorn: '^8.19.0', 'resolve.exports': '^2.0.4' }

/** Layers are compressed by pinned encoders, or their digests would differ between machines. */
const ENCODERS = { fflate: '0.8.3', fzstd: '0.1.1' }

/** `publish` assumes the roles that a cloud assembly names. */
const ROLES = { '@aws-sdk/client-sts': '~3.1169.0' }

test('the command line calls the library, and has one dependency besides the encoders, the scanners of JavaScript, the client for roles and those that its bundle takes over from the packages below', () => {
  const below = Object.entries({ ...dependenciesOf(join(root, '../ztoc')), ...dependenciesOf(join(root, '../oci')) })
  const expected = [
    ...Object.entries({
      '@sociable/oci': version,
      '@sociable/ztoc': version,
      commander: '^14.0.3',
      ...ROLES,
      ...ENCODERS,
      ...SCANNERS,
    }),
    ...below.filter(([name]) => !name.startsWith('@sociable/')),
  ]
  assert.deepEqual(dependenciesOf(root), Object.fromEntries(expected))
  const used = new Set(imports().map(([, name]) => name))
  assert.ok(used.has('commander'))
  for (const [file, name] of imports().filter(([file]) => file.startsWith('cli/')))
    assert.match(name, /^node:|^commander$|^\.\.?\/|^@sociable\/(ztoc|oci)$/, `${file} imports ${name}`)
})
