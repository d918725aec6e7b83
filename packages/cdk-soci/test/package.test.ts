import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { test } from 'node:test'
import { PACKAGE, WORKSPACE } from './workplace.js'

const manifest = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8'))

test('nothing but the CDK is needed at run time', () => {
  assert.equal(manifest.dependencies, undefined)
  assert.equal(manifest.bundledDependencies, undefined)
  assert.deepEqual(Object.keys(manifest.peerDependencies), ['aws-cdk-lib', 'constructs'])
  const assembly = JSON.parse(readFileSync(join(PACKAGE, '.jsii'), 'utf8'))
  assert.deepEqual(assembly.dependencies, manifest.peerDependencies)
})

test('constructs import the CDK, Node and each other; of the handlers they know the types of properties', () => {
  const source = join(PACKAGE, 'src')
  const files = (readdirSync(source, { recursive: true }) as string[]).filter((file) => file.endsWith('.ts'))
  assert.ok(files.length > 20)
  for (const file of files)
    for (const [, name = ''] of readFileSync(join(source, file), 'utf8').matchAll(
      /^(?:import|export|}).* from '([^']*)'/gm,
    ))
      if (name.startsWith('.')) {
        const path = normalize(join(dirname(file), name))
        assert.ok(!path.startsWith('..') && existsSync(join(source, `${path}.ts`)), `${file} imports ${name}`)
      } else assert.match(name, /^(node:\w+|aws-cdk-lib(\/[\w-]+)?|constructs)$/, `${file} imports ${name}`)
})

test('there is one aws-cdk-lib in the workspace, of the version that is pinned', () => {
  const { packages } = JSON.parse(readFileSync(join(WORKSPACE, 'package-lock.json'), 'utf8'))
  const found = Object.keys(packages).filter((path) => path.endsWith('node_modules/aws-cdk-lib'))
  assert.deepEqual(found, ['node_modules/aws-cdk-lib'])
  assert.equal(packages['node_modules/aws-cdk-lib'].version, manifest.devDependencies['aws-cdk-lib'])
})
