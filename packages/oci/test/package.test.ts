import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openStore } from '../src/open.js'
import { assertLayers } from './rooms.js'
import { tar } from './tar-writer.js'
import { temporaryFolder } from './tools.js'

const root = fileURLToPath(new URL('../../', import.meta.url))

test('this package knows no other of the workspace, and what is not the registry’s needs none at all', () => {
  const { dependencies = {} } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  for (const file of readdirSync(join(root, 'src'), { recursive: true }) as string[]) {
    if (!file.endsWith('.ts')) continue
    const text = readFileSync(join(root, 'src', file), 'utf8')
    for (const [, name = ''] of text.matchAll(/^(?:import|export|}).* from '([^'.][^']*)'/gm)) {
      const isOwn = name.startsWith('node:')
      assert.ok(!name.startsWith('@sociable/') && name !== 'sociable', `${file} imports ${name}`)
      if (!file.startsWith('registry')) assert.ok(isOwn, `${file} imports ${name}`)
      else
        assert.ok(
          isOwn || Object.keys(dependencies).some((known) => name === known || name.startsWith(`${known}/`)),
          `${file} imports ${name}`,
        )
    }
  }
})

test('imports point down: from stores to documents, never back', () => {
  assertLayers(join(root, 'src'), [
    ['error', 'read-ahead'],
    ['document/'],
    ['store', 'content', 'copy'],
    ['file/'],
    ['layout/'],
    ['memory'],
    ['archive/'],
    ['registry/hosts', 'registry/proxy', 'registry/aws-request-handler', 'registry/ecr-client'],
    ['registry/credentials/'],
    ['registry/'],
    ['server/'],
    ['testing/'],
    ['*'],
  ])
})

test('the README’s example runs', async (t) => {
  const folder = temporaryFolder(t)
  const config = '{"architecture":"amd64","os":"linux","rootfs":{"diff_ids":[]}}'
  writeFileSync(
    join(folder, 'app.tar'),
    tar([
      { name: 'c.json', data: config },
      { name: 'manifest.json', data: '[{"Config":"c.json","RepoTags":["app:1"],"Layers":[]}]' },
    ]),
  )
  const example = /```ts\n(.*?)```/s.exec(readFileSync(join(root, 'README.md'), 'utf8'))![1]!
  const script = join(root, 'dist', 'test', 'readme-example.mjs') // within the package, so that it knows its own name
  writeFileSync(script, example)
  const { stdout, stderr } = spawnSync(process.execPath, [script], { cwd: folder, encoding: 'utf8' })
  assert.equal(stderr, '')
  assert.equal(stdout, config.slice(0, 10))
  const store = await openStore(`oci:${folder}/image`)
  assert.equal((await store.resolve('app')).mediaType, 'application/vnd.docker.distribution.manifest.v2+json')
})
