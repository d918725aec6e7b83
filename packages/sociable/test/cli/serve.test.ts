// `sociable serve`, and the registry clients that people have.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { type Descriptor, digestOf, encodeManifest, OCI_MANIFEST, openStore } from '@sociable/oci'
import { finished, run, start } from './run.js'

const ROOT = fileURLToPath(new URL('../../../../../', import.meta.url))

function temporaryFolder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'sociable-serve-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** An image of one layer, in a layout. */
async function makeLayout(path: string, tag: string | undefined): Promise<Descriptor> {
  const store = await openStore({ transport: 'oci', path }, { mode: 'write' })
  const push = async (mediaType: string, bytes: Uint8Array) => {
    const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length }
    await store.push(descriptor, bytes)
    return descriptor
  }
  const layer = new Uint8Array(10_240) // a tar of nothing
  const rootfs = { type: 'layers', diff_ids: [digestOf(layer)] }
  const config = { architecture: 'amd64', os: 'linux', config: {}, rootfs, history: [] }
  const manifest = encodeManifest({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: await push('application/vnd.oci.image.config.v1+json', Buffer.from(JSON.stringify(config))),
    layers: [await push('application/vnd.oci.image.layer.v1.tar+gzip', gzipSync(layer))],
  })
  const descriptor = await push(OCI_MANIFEST, manifest)
  await store.tag(descriptor, tag)
  await store.close()
  return descriptor
}

/** The command, running and listening. `end` sends Ctrl-C and gives how it ended. */
async function serve(t: TestContext, ...args: string[]) {
  const child = start(['serve', ...args])
  t.after(() => void child.kill('SIGKILL'))
  const ended = finished(child)
  const [first] = (await Promise.race([
    once(child.stdout, 'data'),
    ended.then(({ err }) => Promise.reject(new Error(err))),
  ])) as [Buffer]
  const end = () => {
    child.kill('SIGINT')
    return ended
  }
  return { host: first.toString().trim(), first: first.toString(), end }
}

/** A tool's path; if it is not available, the test is skipped, and fails under CI=true. */
async function find(t: TestContext, name: 'crane' | 'skopeo'): Promise<string | undefined> {
  const go = join(ROOT, '.cache/tools/go-bin')
  if (name === 'crane' && !existsSync(join(go, name)))
    spawnSync('go', ['install', 'github.com/google/go-containerregistry/cmd/crane@v0.20.6'], {
      env: { ...process.env, GOBIN: go },
    })
  try {
    if (name === 'crane' && existsSync(join(go, name))) return join(go, name)
    const tools = (await import(pathToFileURL(join(ROOT, 'scripts/tools.mjs')).href)) as {
      ensure(name: string): string
    }
    return tools.ensure(name)
  } catch (error) {
    if (process.env.CI === 'true') throw error
    t.skip(`${name} is not available: ${(error as Error).message}`)
    return undefined
  }
}

async function call(command: string, ...args: string[]): Promise<string> {
  const { spawn } = await import('node:child_process')
  const child = spawn(command, args)
  const { status, out, err } = await finished(child)
  assert.equal(status, 0, `${command} ${args.join(' ')}: ${err}`)
  return out.trim()
}

test('serve: prints the address, lists what there is, and ends with Ctrl-C', async (t) => {
  const folder = temporaryFolder(t)
  await makeLayout(join(folder, 'app'), 'v1')
  await makeLayout(join(folder, 'team', 'base'), 'v1')
  const { host, end } = await serve(t, folder)
  assert.match(host, /^127\.0\.0\.1:\d+$/)
  const catalog = await (await fetch(`http://${host}/v2/_catalog`)).json()
  assert.deepEqual(catalog, { repositories: ['app', 'team/base'] })
  const started = performance.now()
  const { signal, err } = await end()
  assert.ok(performance.now() - started < 1000)
  assert.equal(signal, 'SIGINT')
  assert.equal(err, 'serving app, team/base; press Ctrl-C to stop\n')
  await assert.rejects(fetch(`http://${host}/v2/`))
})

test('serve --json', async (t) => {
  const folder = temporaryFolder(t)
  const { first, end } = await serve(t, folder, '--json', '--read-only', '--quiet')
  const { host, ...document } = JSON.parse(first)
  assert.deepEqual(document, { url: `http://${host}`, readOnly: true, repositories: [], leftOut: [] })
  assert.equal((await end()).err, '')
})

test('serve says which layouts it leaves out, and why', async (t) => {
  const folder = temporaryFolder(t)
  await makeLayout(join(folder, 'app'), 'v1')
  await makeLayout(join(folder, 'Team', 'base'), 'v1')
  await makeLayout(join(folder, '.hidden'), 'v1')
  mkdirSync(join(folder, 'Docs'))
  const { host, end } = await serve(t, folder)
  const { repositories } = (await (await fetch(`http://${host}/v2/_catalog`)).json()) as { repositories: string[] }
  assert.deepEqual(repositories, ['app'])
  const { err } = await end()
  assert.equal(
    err,
    'serving app; press Ctrl-C to stop\n' +
      'warning: Team/base is not served: its path is not a valid repository name: use lower-case letters and digits, with single . _ or - between them\n',
  )
})

test('serve: wrong usage, and a port that is taken', async (t) => {
  const folder = temporaryFolder(t)
  assert.equal((await run(['serve', folder, '--port', '70000'])).status, 2)
  const missing = await run(['serve', join(folder, 'no')])
  assert.equal(missing.status, 1)
  assert.match(missing.err, /no such file or folder|ENOENT|does not exist|there is no/i)
  const { host } = await serve(t, folder)
  const taken = await run(['serve', folder, '--port', host.split(':')[1]!])
  assert.equal(taken.status, 1)
  assert.equal(
    taken.err,
    `error: port ${host.split(':')[1]} of 127.0.0.1 is in use (EADDRINUSE): choose another port, or 0 for any free port\n`,
  )
})

test('crane pulls from a folder of layouts and pushes into it', async (t) => {
  const crane = await find(t, 'crane')
  if (crane === undefined) return
  const folder = temporaryFolder(t)
  const { digest } = await makeLayout(join(folder, 'app'), 'v1')
  const { host, end } = await serve(t, folder)
  assert.equal(await call(crane, 'digest', `${host}/app:v1`), digest)
  assert.equal(await call(crane, 'ls', `${host}/app`), 'v1')
  await call(crane, 'pull', '--format', 'oci', `${host}/app:v1`, join(folder, 'pulled'))
  await call(crane, 'push', join(folder, 'pulled'), `${host}/team/new:v2`)
  await call(crane, 'copy', `${host}/app:v1`, `${host}/copied:v3`)
  assert.equal(await call(crane, 'digest', `${host}/copied:v3`), digest)
  await call(crane, 'validate', '--remote', `${host}/team/new:v2`)
  await call(crane, 'delete', `${host}/copied:v3`)
  await end()
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith('.')),
    [],
  )
  const store = await openStore({ transport: 'oci', path: join(folder, 'team', 'new') })
  assert.equal((await store.resolve('v2')).digest, digest)
})

test('skopeo pulls from a layout without a tag, and pushes into one', async (t) => {
  const skopeo = await find(t, 'skopeo')
  if (skopeo === undefined) return
  const folder = temporaryFolder(t)
  const { digest } = await makeLayout(join(folder, 'My_App'), undefined)
  const { host, end } = await serve(t, join(folder, 'My_App'))
  const inspected = JSON.parse(await call(skopeo, 'inspect', '--tls-verify=false', `docker://${host}/my_app`))
  assert.equal(inspected.Digest, digest)
  const copy = (...args: string[]) => call(skopeo, 'copy', '--src-tls-verify=false', '--dest-tls-verify=false', ...args)
  await copy(`docker://${host}/my_app`, `oci:${join(folder, 'out')}:x`)
  await copy(`oci:${join(folder, 'out')}:x`, `docker://${host}/my_app:v2`)
  assert.equal(
    JSON.parse(await call(skopeo, 'inspect', '--tls-verify=false', `docker://${host}/my_app:v2`)).Digest,
    digest,
  )
  await end()
})

test('serve --read-only refuses a push', async (t) => {
  const crane = await find(t, 'crane')
  if (crane === undefined) return
  const folder = temporaryFolder(t)
  await makeLayout(join(folder, 'app'), 'v1')
  const { host, end } = await serve(t, folder, '--read-only')
  await call(crane, 'validate', '--remote', `${host}/app:v1`)
  await assert.rejects(call(crane, 'copy', `${host}/app:v1`, `${host}/other:v1`), /read-only/)
  await assert.rejects(call(crane, 'delete', `${host}/app:v1`), /read-only/)
  assert.ok(!existsSync(join(folder, 'other')))
  await end()
})
