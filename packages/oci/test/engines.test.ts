// What the packages promise of Node.js, against what they need.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

interface LockedPackage {
  readonly version?: string
  readonly dev?: boolean
  readonly engines?: { readonly node?: string }
}

const root = new URL('../../../../', import.meta.url)
const read = (path: string) => JSON.parse(readFileSync(fileURLToPath(new URL(path, root)), 'utf8'))

/** `>=20.18.1`, or `>= 20`, as numbers. Another form needs a look: undefined. */
function minimum(range: string): readonly number[] | undefined {
  const match = /^>=\s*(\d+)(?:\.(\d+))?(?:\.(\d+))?$/.exec(range.trim())
  return match?.slice(1).map((part) => Number(part ?? 0))
}

function isAtLeast(version: readonly number[], other: readonly number[]): boolean {
  const at = version.findIndex((part, i) => part !== other[i])
  return at < 0 || version[at]! > other[at]!
}

test('every dependency that is installed with the packages runs on the oldest Node.js of `engines`', () => {
  const promised = minimum(read('packages/oci/package.json').engines.node)!
  for (const name of ['oci', 'sociable', 'ztoc'])
    assert.deepEqual(minimum(read(`packages/${name}/package.json`).engines.node), promised, name)
  const locked = Object.entries(read('package-lock.json').packages as Readonly<Record<string, LockedPackage>>)
  const needed = locked.filter(([path, { dev, engines }]) => path.includes('node_modules/') && !dev && engines?.node)
  assert.ok(needed.some(([path]) => path === 'node_modules/undici'))
  assert.ok(needed.some(([path]) => path === 'node_modules/@aws-sdk/client-ecr'))
  for (const [path, { version, engines }] of needed) {
    const least = minimum(engines!.node!)
    assert.ok(
      least !== undefined && isAtLeast(promised, least),
      `${path} ${version} needs Node.js ${engines!.node}, and the packages promise ${promised.join('.')}`,
    )
  }
})

test('no range lets an install take a version that needs a newer Node.js', () => {
  // The AWS SDK raises what it needs within a major version: its releases of 2027 want Node.js 22
  for (const name of ['oci', 'sociable']) {
    const { dependencies } = read(`packages/${name}/package.json`)
    const sdk = Object.entries<string>(dependencies).filter(([dependency]) => dependency.startsWith('@aws-sdk/'))
    assert.ok(sdk.length > 0)
    for (const [dependency, range] of sdk) assert.match(range, /^~\d/, `${name}: ${dependency} ${range}`)
  }
})
