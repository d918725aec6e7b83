// `sociable-docker` and the plugin as they ship, before a program that stands for docker.
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { copyImage, inspect } from '../../src/index.js'
import { makeLayout, noise, temporaryFolder } from '../cli/layout.js'
import { PROGRAM } from '../cli/run.js'
import { doubles, startRegistry } from '../support/registries.js'
import { runProgramOf, startProgramOf } from './programs.js'

const skip = process.platform === 'win32' ? 'the stand-in for docker is a shell script' : false
const SOCIABLE_DOCKER = fileURLToPath(new URL('../../bin/cli/sociable-docker.js', import.meta.url))
const PLUGIN = fileURLToPath(new URL('../../bin/cli/docker-soci.js', import.meta.url))

/** A docker that does what the script says. */
async function dockerThat(t: TestContext, script: string) {
  const folder = await temporaryFolder(t)
  const docker = `${folder}/docker`
  writeFileSync(docker, `#!/bin/sh\n${script}\n`)
  chmodSync(docker, 0o755)
  return { folder, docker, env: { SOCIABLE_DOCKER: docker, HOME: folder, SOCIABLE_MIN_LAYER_SIZE: '0' } }
}

/** A layout with an image, and a docker whose push copies that to the name that follows. */
async function pushingDocker(t: TestContext) {
  const folder = await temporaryFolder(t)
  const layout = await makeLayout(`${folder}/image`)
  await layout.add('app', [{ 'bin/app': noise(50_000) }])
  const made = await dockerThat(
    t,
    `for image; do :; done; echo "pushing $image"; unset SOCIABLE_MIN_LAYER_SIZE; exec "${process.execPath}" "${PROGRAM}" copy -q "oci:${layout.folder}:app" "$image" >/dev/null`,
  )
  return { ...made, layout }
}

test('output, standard input and exit status are those of docker', { skip }, async (t) => {
  const { docker, env } = await dockerThat(
    t,
    `printf '<%s>' "$@"; cat; echo "said: $1" >&2; case "$1" in fail) exit 3;; push) exit 1;; esac`,
  )
  const lines = [
    ['login', '--username', 'AWS', '--password-stdin', 'host'],
    ['images', '--format', '{{.Repository}}:{{.Tag}}', '--filter', 'reference=*/*:1'],
    ['build', '--build-arg', 'a=b c', '.'],
    ['inspect', ''],
    ['fail', '"quotes" $HOME * \\'],
    ['push', 'host/app:1'],
    [],
  ]
  for (const args of lines) {
    const options = { env, input: 'a secret\nof two lines' }
    const direct = await runProgramOf(docker, args, options)
    const wrapped = await runProgramOf(process.execPath, [SOCIABLE_DOCKER, ...args], options)
    assert.deepEqual(wrapped, direct, args.join(' '))
  }
})

test('signals reach docker, and the end is that of docker', { skip }, async (t) => {
  const patient = await dockerThat(
    t,
    `trap 'echo got it; exit 7' TERM; echo ready; for i in $(seq 600); do sleep 0.05; done`,
  )
  const mortal = await dockerThat(t, `echo ready; for i in $(seq 600); do sleep 0.05; done`)
  for (const [{ env }, signal, end] of [
    [patient, 'SIGTERM', { status: 7, signal: null, out: 'ready\ngot it\n', err: '' }],
    [mortal, 'SIGTERM', { status: null, signal: 'SIGTERM', out: 'ready\n', err: '' }],
    [mortal, 'SIGHUP', { status: null, signal: 'SIGHUP', out: 'ready\n', err: '' }],
  ] as const) {
    const { child, ended } = startProgramOf(process.execPath, [SOCIABLE_DOCKER, 'run', 'app'], { env })
    child.stdout.once('data', () => child.kill(signal))
    assert.deepEqual(await ended, end)
  }
})

test("a pushed image gets a SOCI-enabled copy; stdout is docker's", { skip }, async (t) => {
  const registry = await startRegistry(t, 'docker-registry')
  if (registry === undefined) return
  const { env } = await pushingDocker(t)
  const image = `${registry.host}/app:1`
  const first = await runProgramOf(process.execPath, [SOCIABLE_DOCKER, 'push', image], { env })
  assert.deepEqual([first.status, first.out], [0, `pushing ${image}\n`], first.err)
  assert.match(first.err, new RegExp(`^${image}-soci@sha256:[0-9a-f]{64}\\n$`))
  assert.equal((await inspect(`${image}-soci`)).sociEnabled, true)
  const again = await runProgramOf(process.execPath, [SOCIABLE_DOCKER, 'image', 'push', '-q', image], { env })
  assert.deepEqual(again, first)
})

test('a push whose image cannot be converted fails, unless the copy is optional', { skip }, async (t) => {
  const registry = await startRegistry(t, 'our own')
  const { env } = await dockerThat(t, 'echo pushed')
  const image = `${registry!.host}/app:1`
  const args = [SOCIABLE_DOCKER, 'push', image]
  const failed = await runProgramOf(process.execPath, args, { env })
  assert.deepEqual([failed.status, failed.out], [1, 'pushed\n'])
  assert.match(
    failed.err,
    /^error: .*app.*\n(.*\n)*sociable-docker: error: \S+app:1 was pushed, but has no SOCI-enabled copy\./,
  )
  const optional = await runProgramOf(process.execPath, args, { env: { ...env, SOCIABLE_DOCKER_OPTIONAL: '1' } })
  assert.equal(optional.status, 0)
  assert.match(optional.err, /sociable-docker: warning: \S+app:1 was pushed without a SOCI-enabled copy\n$/)
})

test("the logins are those of docker's --config", { skip }, async (t) => {
  const { startEcr } = await doubles()
  const ecr = await startEcr()
  t.after(() => ecr.close())
  const { folder, env, layout } = await pushingDocker(t)
  writeFileSync(env.SOCIABLE_DOCKER, '#!/bin/sh\n')
  const [username, password] = Buffer.from(ecr.authorizationToken(), 'base64').toString().split(':')
  const image = `${ecr.host}/app:1`
  await copyImage(`oci:${layout.folder}:app`, image, { username, password })
  mkdirSync(`${folder}/logins`)
  const auths = { [ecr.host]: { auth: ecr.authorizationToken() } }
  writeFileSync(`${folder}/logins/config.json`, JSON.stringify({ auths }))
  writeFileSync(`${folder}/none.json`, '{}')
  const tried = { env: { ...env, REGISTRY_AUTH_FILE: `${folder}/none.json` } }
  const without = await runProgramOf(process.execPath, [SOCIABLE_DOCKER, 'push', image], tried)
  assert.equal(without.status, 1)
  const args = [SOCIABLE_DOCKER, '--config', `${folder}/logins`, 'push', image]
  const done = await runProgramOf(process.execPath, args, tried)
  assert.equal(done.status, 0, done.err)
  assert.equal((await inspect(`${image}-soci`, { username, password })).sociEnabled, true)
})

test('no docker, and a docker that is sociable-docker, are told with what to do', { skip }, async (t) => {
  const { docker, env } = await dockerThat(t, `exec "${process.execPath}" "${SOCIABLE_DOCKER}" "$@"`)
  const itself = await runProgramOf(process.execPath, [SOCIABLE_DOCKER, 'ps'], { env })
  assert.deepEqual([itself.status, itself.out], [1, ''])
  assert.equal(
    itself.err,
    `sociable-docker: error: ${docker} is sociable-docker itself: set SOCIABLE_DOCKER to the real docker, podman or finch\n`,
  )
  const none = await runProgramOf(process.execPath, [SOCIABLE_DOCKER, 'ps'], { env: { SOCIABLE_DOCKER: 'no-docker' } })
  assert.equal(none.status, 127)
  assert.match(none.err, /no-docker is not installed, or not on the PATH\. SOCIABLE_DOCKER names another program/)
})

test('the plugin describes itself to docker, and runs sociable', async (t) => {
  const metadata = await runProgramOf(process.execPath, [PLUGIN, 'docker-cli-plugin-metadata'])
  const { SchemaVersion, ShortDescription } = JSON.parse(metadata.out) as Record<string, string>
  assert.deepEqual([SchemaVersion, ShortDescription], ['0.1.0', 'Create and read SOCI indexes'])
  const folder = await temporaryFolder(t)
  const layout = await makeLayout(`${folder}/image`)
  await layout.add('app', [{ 'bin/app': noise(50_000) }])
  const args = ['soci', 'convert', '--min-layer-size', '0', `oci:${layout.folder}:app`]
  const converted = await runProgramOf(process.execPath, [PLUGIN, '--config', folder, ...args])
  assert.match(converted.out, /^oci:.*:app-soci@sha256:/, converted.err)
  const wrong = await runProgramOf(process.execPath, [PLUGIN, 'soci', 'nonsense'])
  assert.equal(wrong.status, 2)
})
