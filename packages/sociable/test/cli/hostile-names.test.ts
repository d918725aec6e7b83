// Whatever names an image, a registry or the environment has: no control character, no line of their own, and no command of a CI service gets out.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { LayoutBuilder, OCI_GZIP } from '../support/layout.js'
import { gzip, tar } from '../support/tar.js'
import { onTerminal, skipWithoutPty } from './pty.js'
import { run } from './run.js'

const EVIL = 'x\n::error::evil\r\u001b[2J\u001b[35m\u0007\u009b31m\u202e\u2028SOCI\nFORGED'
const folder = mkdtempSync(join(tmpdir(), 'sociable-hostile-'))
after(() => rmSync(folder, { recursive: true }))

function hostileLayout(): string {
  const path = join(folder, 'image')
  const layout = new LayoutBuilder()
  const bytes = gzip(
    tar([
      { name: EVIL, content: EVIL },
      { name: `${EVIL}2`, type: '2', linkname: EVIL },
    ]),
  )
  const platform = { architecture: 'amd64', os: 'linux', variant: EVIL, 'os.version': EVIL }
  const config = { architecture: 'amd64', os: 'linux', variant: EVIL, history: [{ created_by: EVIL }] }
  const manifest = layout.manifest([layout.blob(bytes, OCI_GZIP)], config, { platform, annotations: { [EVIL]: EVIL } })
  const strange = layout.blob('{}', `application/${EVIL}`)
  layout.top(
    layout.imageIndex([manifest, strange], {}, { annotations: { 'org.opencontainers.image.ref.name': 'app' } }),
  )
  layout.write(path)
  return path
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/

/** No line is an image's, has a control character, or starts a command. */
function assertClean(text: string, what: string): void {
  for (const line of text.split('\n')) {
    assert.doesNotMatch(line, UNSAFE, `${what}: ${JSON.stringify(line)}`)
    assert.doesNotMatch(line, /^\s*(::|##\[|##vso)/, `${what}: ${line}`)
    assert.doesNotMatch(line, /^\s*FORGED/, `${what}: a line that the image wrote`)
  }
}

const commands: readonly (readonly string[])[] = [
  ['convert', 'oci:image:app', 'oci:out:app', '--min-layer-size', '0'],
  ['convert', 'oci:image:app', 'oci:out:app', '--platform', 'linux/arm64'],
  ['create', 'oci:image:app', '--min-layer-size', '0'],
  ['inspect', 'oci:image:app'],
  ['verify', 'oci:image:app', '--deep'],
  ['report', 'oci:image:app', '--output', 'page.html'],
  ['report', 'oci:image:app', '--output', `${EVIL}/page.html`],
  ['profile', 'trace.txt'],
  ['profile', 'trace.txt', '--output', `${EVIL}/profile.json`],
  ['profile', 'trace.txt', '--check', 'oci:image:app'],
  ['ls', '-lR', 'oci:image:app'],
  ['ls', 'oci:image:app', EVIL],
  ['cat', 'oci:image:app', `${EVIL}/none`],
  ['extract', 'oci:image:app', `${EVIL}/none`, 'to'],
  ['copy', 'oci:image:app', 'oci:copied:app'],
  ['rm', 'oci:image:app'],
  ['tags', 'oci:image'],
  ['wait', 'oci:image:none', '--timeout', '0'],
  ['inspect', `oci:image:${EVIL}`],
  ['inspect', `oci:${EVIL}`],
  ['ztoc', EVIL],
  [EVIL],
  ['convert', `--${EVIL}`],
]

const EVIL_TRACE = JSON.stringify([`/${EVIL}`, `/${EVIL}2`, '/none'])

test('every command, as text, with --verbose and as JSON', async () => {
  hostileLayout()
  writeFileSync(join(folder, 'trace.txt'), EVIL_TRACE)
  for (const command of commands)
    for (const more of [[], ['--verbose'], ['--json']]) {
      if (command[0] === 'cat' && more[0] === '--json') continue
      rmSync(join(folder, 'to'), { recursive: true, force: true })
      const args = [...command, ...more]
      const { out, err } = await run(args, { cwd: folder, env: { CI: 'true' } })
      assertClean(out, `stdout of ${JSON.stringify(args)}`)
      assertClean(err, `stderr of ${JSON.stringify(args)}`)
    }
})

/** The program's own colours: an image that can write one of them could write others. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is looked for
const OWN_COLOURS = /\u001b\[(?:1|22|2|31|32|33|39)m/g

test('on a terminal with colours, no sequence of an image gets through', { skip: skipWithoutPty }, async () => {
  writeFileSync(join(folder, 'trace.txt'), EVIL_TRACE)
  let coloured = 0
  for (const args of [
    ['convert', 'oci:image:app', 'oci:coloured:app', '--min-layer-size', '0'],
    ['inspect', 'oci:image:app'],
    ['inspect', `oci:image:${EVIL}`],
    ['verify', 'oci:image:app', '--deep'],
    ['ls', '-lR', 'oci:image:app'],
    ['cat', 'oci:image:app', `${EVIL}/none`, '--verbose'],
    ['profile', 'trace.txt'],
    ['profile', 'trace.txt', '--check', 'oci:image:app'],
    ['report', 'oci:image:app', '--output', `${EVIL}/page.html`],
  ]) {
    // As in CodeBuild: lines instead of bars, which move the cursor themselves
    const session = await onTerminal(args, { cwd: folder, env: { CODEBUILD_BUILD_ID: 'x' } })
    await session.ended()
    const screen = session.screen().replaceAll('\r\n', '\n')
    const plain = screen.replace(OWN_COLOURS, '')
    if (plain !== screen) coloured++
    assertClean(plain, JSON.stringify(args))
  }
  assert.ok(coloured >= 5, `${coloured} of them had colours`)
})

test('a colour that the program uses itself does not come from an image either', { skip: skipWithoutPty }, async () => {
  const red = '\u001b[31m'
  const session = await onTerminal(['inspect', `oci:image:${red}SOCI-enabled  ${red}yes`], { cwd: folder })
  await session.ended()
  assert.equal(session.screen().split(red).length, 2, session.screen()) // that of `error:`
})

test('JSON still has the names, as escapes', async () => {
  const { out } = await run(['ls', 'oci:image:app', '--json'], { cwd: folder })
  assert.equal(JSON.parse(out).entries[0].path, EVIL)
})

test('what a registry says, and variables', async (t) => {
  const server = createServer((_, response) => {
    response.writeHead(400, { 'content-type': 'application/json', 'docker-distribution-api-version': 'registry/2.0' })
    response.end(JSON.stringify({ errors: [{ code: EVIL, message: EVIL, detail: EVIL }] }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  for (const args of [
    ['inspect', `${host}/app:1`],
    ['convert', `${host}/app:1`],
    ['tags', `${host}/app`],
  ])
    for (const more of [[], ['--verbose'], ['--json']]) {
      const { out, err, status } = await run([...args, ...more], { cwd: folder })
      assert.equal(status, 1)
      assertClean(out + err, args.join(' '))
    }
  const environments: Record<string, string>[] = ['SPAN_SIZE', 'PLATFORM', 'FORCE'].map((name) => ({
    [`SOCIABLE_${name}`]: EVIL,
  }))
  for (const env of [...environments, { HTTPS_PROXY: EVIL }]) {
    const { out, err } = await run(['convert', 'registry.invalid/app:1'], { cwd: folder, env })
    assertClean(out + err, JSON.stringify(env))
  }
  writeFileSync(join(folder, 'paths.json'), EVIL)
  const { err } = await run(['convert', 'oci:image:app', 'oci:out:b', '--prefetch-files-json', 'paths.json'], {
    cwd: folder,
  })
  assertClean(err, readFileSync(join(folder, 'paths.json'), 'utf8'))
})
