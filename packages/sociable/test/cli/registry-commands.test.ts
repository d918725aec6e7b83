// The commands on images in registries, as a user's shell would run them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { doubles, startRegistry } from '../support/registries.js'
import { makeLayout, noise, temporaryFolder } from './layout.js'
import { run } from './run.js'

test('an image is converted, looked into and freed in its registry', async (t) => {
  const registry = await startRegistry(t, 'our own')
  if (registry === undefined) return
  const cwd = await temporaryFolder(t)
  const layout = await makeLayout(`${cwd}/image`)
  await layout.add('app', [{ 'etc/os-release': 'ID=test\n', 'bin/app': noise(50_000) }])
  const image = `${registry.host}/team/app:1`
  const ok = async (...args: string[]) => {
    const result = await run(args, { cwd })
    assert.equal(result.status, 0, result.err)
    return result
  }
  const copied = await ok('copy', 'oci:image:app', image)
  assert.match(copied.out, new RegExp(`^${image}@sha256:[0-9a-f]{64}\n$`))
  const small = ['--min-layer-size', '0', '--span-size', '10000']
  const local = await ok('convert', 'oci:image:app', ...small)
  const converted = await ok('convert', image, ...small)
  assert.match(converted.out, new RegExp(`^${image}-soci@`))
  assert.equal(converted.out.split('@')[1], local.out.split('@')[1])
  assert.match((await ok('inspect', `${image}-soci`)).out, /SOCI-enabled {2}yes/)
  assert.equal((await ok('ls', `${image}-soci`, 'etc', '-p', 'linux/amd64')).out, 'os-release\n')
  assert.equal((await ok('cat', `${image}-soci`, 'etc/os-release', '-p', 'linux/amd64')).out, 'ID=test\n')
  const { layers } = JSON.parse((await ok('inspect', image, '--json')).out).images[0]
  const ztoc = await ok('ztoc', `${image}@${layers[0].digest}`, '--span-size', '10000')
  assert.match(ztoc.out, /^sha256:[0-9a-f]{64}\n$/)

  const created = await ok('create', image, ...small)
  const removed = await ok('rm', image)
  assert.equal(removed.out, `${created.out.trim()} (v1)\n`)
  assert.equal(removed.err, `removed 1 SOCI index from ${image}, which stays as it was\n`)
  const freed = JSON.parse((await ok('rm', `${image}-soci`, '--json')).out)
  assert.deepEqual(
    freed.removed.map((index: { version: string; buildTool: string }) => [index.version, index.buildTool]),
    [['v2', 'sociable v1']],
  )
  const nothing = await ok('rm', `${image}-soci`)
  assert.deepEqual([nothing.out, nothing.err], ['', `${image}-soci has no SOCI index to remove\n`])

  const cached = await ok('convert', image, `${registry.host}/other:1`, ...small, '--cache-from', `${image}-none`)
  assert.match(cached.err, /^warning: zTOCs cannot be taken from there: .*app:1-none is not in the registry/)
})

test('a password comes on stdin, and is in no message', async (t) => {
  const { startDockerRegistry, BASIC_USER, BASIC_PASSWORD } = await doubles()
  const registry = await startDockerRegistry(t, { auth: 'basic' })
  if (registry === undefined) return
  const cwd = await temporaryFolder(t)
  const layout = await makeLayout(`${cwd}/image`)
  await layout.add('app', [{ file: 'content' }])
  const args = ['copy', 'oci:image:app', `${registry.host}/app:1`, '--username', BASIC_USER, '--password-stdin']
  const done = await run(args, { cwd, input: `${BASIC_PASSWORD}\n` })
  assert.equal(done.status, 0, done.err)
  const refused = await run([...args, '--verbose'], { cwd, input: 'not-the-one' })
  assert.equal(refused.status, 1)
  assert.ok(!refused.err.includes('not-the-one'))
})

test('login saves what the registry accepts, for sociable and for others; logout removes it', async (t) => {
  const { startDockerRegistry, tool, run: runTool, BASIC_USER, BASIC_PASSWORD } = await doubles()
  const registry = await startDockerRegistry(t, { auth: 'basic' })
  const crane = await tool(t, 'crane')
  if (registry === undefined || crane === undefined) return
  const cwd = await temporaryFolder(t)
  const layout = await makeLayout(`${cwd}/image`)
  await layout.add('app', [{ file: 'content' }])
  const env = { DOCKER_CONFIG: `${cwd}/docker`, HOME: cwd }
  const copy = () => run(['copy', 'oci:image:app', `${registry.host}/app:1`], { cwd, env })
  const login = (input: string) =>
    run(['login', registry.host, '--username', BASIC_USER, '--password-stdin', '--verbose'], { cwd, env, input })
  assert.equal((await copy()).status, 1)
  const wrong = await login('not-the-one')
  assert.equal(wrong.status, 1)
  assert.ok(!wrong.err.includes('not-the-one'))
  assert.equal((await copy()).status, 1, 'a wrong login is not saved')
  const done = await login(BASIC_PASSWORD)
  assert.deepEqual([done.status, done.out], [0, ''], done.err)
  assert.match(done.err, /the login for \S+ is saved in \S+docker\/config\.json\n/)
  assert.equal((await copy()).status, 0)
  process.env.DOCKER_CONFIG = env.DOCKER_CONFIG
  t.after(() => delete process.env.DOCKER_CONFIG)
  assert.match(runTool(crane, 'digest', '--insecure', `${registry.host}/app:1`), /^sha256:/)
  const out = await run(['logout', registry.host, '--json'], { cwd, env })
  assert.deepEqual([out.status, JSON.parse(out.out).removed], [0, true])
  assert.equal((await copy()).status, 1)
  const again = await run(['logout', registry.host], { cwd, env })
  assert.match(again.err, /config\.json has no login for/)
  assert.equal((await run(['login', `${registry.host}/app`], { cwd, env })).status, 2)
})

test('what has to do with registries is loaded for registries only', async (t) => {
  const cwd = await temporaryFolder(t)
  const layout = await makeLayout(`${cwd}/image`)
  await layout.add('app', [{ file: 'content' }])
  const hooks =
    'import { writeSync } from "node:fs"; export async function load(url, context, next) { writeSync(2, "loaded " + url + "\\n"); return next(url, context) }'
  const register = `import { register } from 'node:module'; register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(hooks)}))`
  const options = `--import=data:text/javascript,${encodeURIComponent(register)}`
  const { status, err } = await run(['inspect', 'oci:image:app'], { cwd, env: { NODE_OPTIONS: options } })
  assert.equal(status, 0, err)
  assert.ok(err.includes('loaded file:'))
  for (const part of ['/undici/', 'aws-sdk', '/oci/dist/src/registry/']) assert.ok(!err.includes(part), part)
})
