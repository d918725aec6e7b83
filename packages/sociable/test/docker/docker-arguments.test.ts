import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDockerCommand, parsePluginCommand } from '../../src/docker/docker-arguments.js'

const words = (line: string) => line.split(' ')

const PUSHES: readonly (readonly [line: string, image: string])[] = [
  ['push host/app:1', 'host/app:1'],
  ['image push host/app:1', 'host/app:1'],
  ['--config /c push -q host/app:1', 'host/app:1'],
  ['--config=/c --debug push --platform linux/arm64 host/app:1', 'host/app:1'],
  ['-H tcp://h:1 --tlsverify push --platform=linux/arm64 host/app', 'host/app'],
  ['push host/app:1 --quiet', 'host/app:1'],
  ['--storage-driver vfs push --creds u:p --tls-verify=false local docker://host/app:1', 'host/app:1'],
  ['--namespace k8s.io push --sign cosign host/app:1', 'host/app:1'],
  ['push -- host/app:1', 'host/app:1'],
]

test('the image that a push sends', () => {
  for (const [line, image] of PUSHES) assert.equal(parseDockerCommand(words(line)).pushed, image, line)
})

test('other commands push nothing, whatever their arguments are called', () => {
  const lines = [
    'login --username AWS --password-stdin host',
    'inspect cdkasset-1',
    'build --tag push .',
    'images --format {{.Repository}}:{{.Tag}} --filter reference=*/*:push',
    'tag a push',
    'image ls push',
    'manifest push host/app:1',
    'run --rm image push x',
    '--context push ps',
    'push',
    '--help',
    '',
  ]
  for (const line of lines) assert.deepEqual(parseDockerCommand(words(line)), { pushesAll: false }, line)
})

test('a push of all tags names no image', () => {
  for (const line of ['push -a host/app', 'image push host/app --all-tags'])
    assert.deepEqual(parseDockerCommand(words(line)), { pushesAll: true }, line)
})

test("the folder of --config is the last one given, and only docker's own", () => {
  assert.equal(parseDockerCommand(words('--config /a --config=/b push x')).config, '/b')
  assert.equal(parseDockerCommand(words('run --config /a image')).config, undefined)
})

test("a plugin gets what follows its name, and docker's options before it", () => {
  assert.deepEqual(parsePluginCommand(words('--config /c -D soci convert a --json'), 'soci'), {
    args: ['convert', 'a', '--json'],
    config: '/c',
  })
  assert.deepEqual(parsePluginCommand(words('convert soci'), 'soci'), { args: ['convert', 'soci'] })
})
