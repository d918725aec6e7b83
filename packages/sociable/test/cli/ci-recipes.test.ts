// The recipes of docs/ci.md: the shell's are run, with a docker that has the images; all commands are ones that the program accepts.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { copyImage, inspect } from '../../src/index.js'
import { startRegistry } from '../support/registries.js'
import { makeLayout, noise, temporaryFolder } from './layout.js'
import { PROGRAM, run } from './run.js'

const page = readFileSync(new URL('../../../../../docs/ci.md', import.meta.url), 'utf8')
const others = [...page.matchAll(/```(?:yaml|groovy)\n(.*?)```/gs)].map(([, code]) => code!)
const shell = [...page.split('\n## ')[1]!.matchAll(/```sh\n(.*?)```/gs)].map(([, code]) => code!)
const skip = process.platform === 'win32' ? 'the recipes are for a POSIX shell' : false

test("the shell's recipes run, one after the other", { skip }, async (t) => {
  const registry = await startRegistry(t, 'docker-registry')
  if (registry === undefined) return
  assert.equal(shell.length, 4)
  const folder = await temporaryFolder(t)
  const layout = await makeLayout(join(folder, 'image'))
  await layout.add('app', [{ 'bin/app': noise(11 << 20) }])
  const archive = join(folder, 'built.tar')
  await copyImage(`oci:${layout.folder}:app`, `oci-archive:${archive}:app`)
  const put = (name: string, script: string) => {
    writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`)
    chmodSync(join(folder, name), 0o755)
  }
  put('sociable', `exec "${process.execPath}" "${PROGRAM}" "$@"`)
  put(
    'docker',
    `case "$1" in push) exec sociable copy "oci:${layout.folder}:app" "$2" ;; *) exec cat "${archive}" ;; esac`,
  )
  const image = `${registry.host}/app:1`
  for (const script of shell) {
    const env = { ...process.env, IMAGE: image, PATH: `${folder}${delimiter}${process.env.PATH}` }
    await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], { cwd: folder, env })
    assert.equal((await inspect(`${image}-soci`)).sociEnabled, true, script)
  }
})

test('the program accepts every command of the other recipes', async () => {
  const commands = others.flatMap((block) =>
    [...block.matchAll(/\bsociable (convert[^'\n#>]*)/g)].map(([, line]) => line!),
  )
  assert.equal(commands.length, others.length)
  for (const line of commands) {
    const args = line
      .trim()
      .split(/\s+/)
      .map((word) => word.replace(/^"(.*?)"?$/, '$1').replace(/\$\w+/g, 'oci:/none'))
    const { status, err } = await run(args, { input: 'secret' })
    assert.equal(status, 1, `${line}: ${err}`)
  }
})
