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

test('imports point one way: the library knows the packages below it, not the command line', () => {
  for (const [file, name] of imports().filter(([file]) => !file.startsWith('cli/')))
    assert.match(name, /^node:|^@sociable\/(ztoc|oci|oci\/registry)$|^\.\.?\/(?!.*cli\/)/, `${file} imports ${name}`)
})

test('the command line calls the library, and has one dependency', () => {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>
  }
  assert.deepEqual(Object.keys(dependencies).sort(), ['@sociable/oci', '@sociable/ztoc', 'commander'])
  const used = new Set(imports().map(([, name]) => name))
  assert.ok(used.has('commander'))
  for (const [file, name] of imports().filter(([file]) => file.startsWith('cli/')))
    assert.match(name, /^node:|^commander$|^\.\.?\/|^@sociable\/(ztoc|oci)$/, `${file} imports ${name}`)
})
