// The GitHub Action: its script runs in bash, as a runner would run it.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { parse } from 'yaml'
import { copyImage, inspect } from '../../src/index.js'
import { doubles, startRegistry } from '../support/registries.js'
import { makeLayout, noise, temporaryFolder } from './layout.js'
import { PROGRAM } from './run.js'

const root = new URL('../../../../../', import.meta.url)
const read = (file: string): unknown => parse(readFileSync(new URL(file, root), 'utf8'))

interface Action {
  readonly inputs: Readonly<Record<string, { readonly default?: string }>>
  readonly outputs: Readonly<Record<string, { readonly value: string }>>
  readonly runs: {
    readonly steps: readonly { readonly id: string; readonly run: string; readonly env: Record<string, string> }[]
  }
}
const { inputs, outputs, runs } = read('action.yml') as Action
const [step] = runs.steps
const skip = process.platform === 'win32' ? 'the stand-ins for npx and sociable are shell scripts' : false

test('every input and output is wired to the step', () => {
  const names = Object.values(step!.env).map((value) => /^\$\{\{ inputs\.(\w+) \}\}$/.exec(value)?.[1])
  assert.deepEqual(names, Object.keys(inputs))
  for (const [name, { value }] of Object.entries(outputs))
    assert.equal(value, `\${{ steps.${step!.id}.outputs.${name} }}`)
  const { version } = JSON.parse(readFileSync(new URL('packages/sociable/package.json', root), 'utf8'))
  assert.equal(inputs.version!.default, version)
})

test('the workflow that tests the action, and its recipe, pass inputs that it has', () => {
  const { jobs } = read('.github/workflows/action.yml') as {
    readonly jobs: {
      readonly convert: { readonly steps: readonly { readonly uses?: string; readonly with?: object }[] }
    }
  }
  const own = jobs.convert.steps.find(({ uses }) => uses === './')
  const page = readFileSync(new URL('docs/ci.md', root), 'utf8')
  const [recipe] = parse(/```yml\n(.*?)```/s.exec(page)![1]!) as readonly { readonly with: object }[]
  for (const given of [own!.with!, recipe!.with]) for (const name of Object.keys(given)) assert.ok(name in inputs, name)
})

test('the step converts the image and gives its name and digest', { skip }, async (t) => {
  const { startDockerRegistry, BASIC_USER, BASIC_PASSWORD } = await doubles()
  const open = await startRegistry(t, 'docker-registry')
  const closed = await startDockerRegistry(t, { auth: 'basic' })
  if (open === undefined || closed === undefined) return
  const folder = await temporaryFolder(t)
  const layout = await makeLayout(join(folder, 'image'))
  await layout.add('app', [{ 'bin/app': noise(50_000) }])
  const put = (name: string, script: string) => {
    writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`)
    chmodSync(join(folder, name), 0o755)
  }
  put('sociable', `exec "${process.execPath}" "${PROGRAM}" "$@"`)
  put('npx', `test "$1 $2" = "--yes sociable@${inputs.version!.default}" && shift 2 && exec sociable "$@"`)
  const run = async (given: Readonly<Record<string, string>>) => {
    const output = join(folder, 'output')
    writeFileSync(output, '')
    const env = Object.fromEntries(
      Object.entries(step!.env).map(([variable, value]) => {
        const name = /inputs\.(\w+)/.exec(value)![1]!
        return [variable, given[name] ?? inputs[name]!.default ?? '']
      }),
    )
    const { PATH } = process.env
    await promisify(execFile)('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', step!.run], {
      cwd: folder,
      env: { PATH: `${folder}${delimiter}${PATH}`, HOME: folder, GITHUB_OUTPUT: output, ...env },
    })
    return Object.fromEntries(
      readFileSync(output, 'utf8')
        .trim()
        .split('\n')
        .map((line) => line.split('=', 2) as [string, string]),
    )
  }
  const image = `${open.host}/app:1`
  await copyImage(`oci:${layout.folder}:app`, image)
  const options = '--min-layer-size 0\n\n  --require-index\n'
  const made = await run({ image, options })
  assert.match(made.image!, new RegExp(`^${image}-soci@sha256:[0-9a-f]{64}$`))
  assert.equal(made.digest, made.image!.split('@')[1])
  assert.equal((await inspect(made.image!)).sociEnabled, true)
  const named = await run({ image, options, destination: `${open.host}/other:2`, version: 'path' })
  assert.equal(named.image, `${open.host}/other:2@${made.digest}`)
  const login = { username: BASIC_USER, password: BASIC_PASSWORD }
  await copyImage(`oci:${layout.folder}:app`, `${closed.host}/app:1`, login)
  assert.equal((await run({ image: `${closed.host}/app:1`, options, ...login })).digest, made.digest)
  await assert.rejects(run({ image: `${open.host}/none:1` }), /none/)
})
