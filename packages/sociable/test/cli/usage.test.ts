import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { LOW_ADDRESS_SPACE_FLAG } from '@sociable/ztoc'
import { PROGRAM, type RunOptions, run } from './run.js'

const COMMANDS = [
  'convert',
  'create',
  'ztoc',
  'inspect',
  'ls',
  'cat',
  'extract',
  'copy',
  'rm',
  'profile',
  'serve',
  'completion',
  'help',
]

test('--version prints the version of the package', async () => {
  const text = await readFile(new URL('../../../package.json', import.meta.url), 'utf8')
  const { version } = JSON.parse(text) as { version: string }
  for (const flag of ['--version', '-V']) {
    const { status, out, err } = await run([flag])
    assert.deepEqual([status, out, err], [0, `${version}\n`, ''])
  }
})

test('--version loads next to nothing: that is what keeps it quick', () => {
  const modules = loaded(['--version'])
  const size = modules.reduce((sum, module) => sum + statSync(module).size, 0)
  assert.ok(modules.length > 0 && size < 2000, `${size} bytes: ${modules.join(' ')}`)
})

test('help, completion and wrong usage do without the engine, and the rest has it before it begins', () => {
  const hasEngine = (args: readonly string[]) =>
    loaded(args).some((module) => readFileSync(module, 'utf8').includes(LOW_ADDRESS_SPACE_FLAG))
  for (const args of [['--help'], ['help', 'ls'], ['convert', '--help'], ['conver'], ['completion', 'bash']])
    assert.ok(!hasEngine(args), args.join(' '))
  assert.ok(hasEngine(['rm', 'oci:/no/such/layout']))
})

/** The files that the program loads for these arguments, packages of others apart. */
function loaded(args: readonly string[]): URL[] {
  const importing = ['--import', `data:text/javascript,${encodeURIComponent(LOADED_MODULES)}`]
  const { stdout } = spawnSync(process.execPath, [...importing, PROGRAM, ...args], { encoding: 'utf8' })
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('loaded file:') && !line.includes('/node_modules/'))
    .map((line) => new URL(line.slice('loaded '.length)))
}

/** Tells each module that node's loader is asked for; resolve hooks run on a thread of their own, whose console is ours. */
const LOADED_MODULES = `
import { register } from 'node:module'
const hooks = 'import { writeSync } from "node:fs"; export async function load(url, context, next) { writeSync(1, "loaded " + url + "\\\\n"); return next(url, context) }'
register('data:text/javascript,' + encodeURIComponent(hooks))
`

test('help has every command, and each command its examples and flags', async () => {
  const { status, out, err } = await run(['--help'])
  assert.deepEqual([status, err], [0, ''])
  for (const command of COMMANDS) {
    assert.match(out, new RegExp(`^  ${command} `, 'm'))
    const help = await run([command, '--help'])
    assert.deepEqual([help.status, help.err], [0, ''])
    assert.match(help.out, /^Examples:\n {2}# .+\n {2}\$ .*sociable /m)
    assert.match(help.out, /--verbose/)
    assert.equal((await run(['help', command])).out, help.out)
  }
})

test('help has topics, which are those of docs/cli.md', async () => {
  const page = await readFile(new URL('../../../../../docs/cli.md', import.meta.url), 'utf8')
  const { out } = await run(['help', 'help'])
  const names = /topic: ([a-z, -]+)\./.exec(out.replaceAll('\n', ' '))![1]!.split(', ')
  assert.deepEqual(names.slice(0, 4), ['images', 'registries', 'credentials', 'memory'])
  for (const name of names) {
    const { status, out, err } = await run(['help', name])
    assert.deepEqual([status, err], [0, ''], name)
    const [title, ...lines] = out.trimEnd().split('\n')
    const section = page.split(`\n## ${title}\n`)[1]!.split('\n## ')[0]!
    const words = (text: string) =>
      text
        .replaceAll('`', '')
        .replaceAll('|', ' ')
        .split(/\s+/)
        .filter((word) => /\w/.test(word))
    const onPage = new Set(words(section))
    assert.deepEqual(
      words(lines.join('\n')).filter((word) => !onPage.has(word)),
      [],
      name,
    )
    assert.ok(lines.every((line) => line.length <= 100) && lines.length > 4, name)
  }
  assert.equal((await run(['help'])).out, (await run(['--help'])).out)
})

test('without a command: the help, as an error', async () => {
  const { status, out, err } = await run([])
  assert.deepEqual([status, out], [2, ''])
  assert.match(err, /^Usage: sociable/)
})

const WRONG: readonly { args: readonly string[]; env?: RunOptions['env']; says: RegExp }[] = [
  { args: ['conver'], says: /unknown command 'conver'\n.*convert/ },
  { args: ['convert'], says: /missing required argument 'source'/ },
  { args: ['convert', ''], says: /'source'.* It is empty/ },
  { args: ['convert', 'a', 'b', 'c'], says: /too many arguments/ },
  { args: ['convert', 'oci:x', '--spansize', '1'], says: /unknown option '--spansize'\n.*--span-size/ },
  { args: ['convert', 'oci:x', '--span-size', '4MX'], says: /--span-size.* '4MX' is invalid.*4MiB/ },
  { args: ['convert', 'oci:x', '--span-size'], says: /--span-size.* argument missing/ },
  { args: ['convert', 'oci:x', '--min-layer-size', '-1'], says: /'-1' is invalid/ },
  { args: ['convert', 'oci:x', '--memory', '0'], says: /--memory.* '0' .*at least 1 byte/ },
  { args: ['convert', 'oci:x', '--concurrency', '0'], says: /--concurrency.* '0' .*at least 1/ },
  { args: ['convert', 'oci:x', '-p', 'arm64'], says: /'arm64' is invalid.*linux\/arm64/ },
  { args: ['convert', 'oci:x', '--optimizations', 'speed'], says: /'speed' .*xattr/ },
  { args: ['convert', 'oci:x', '--build-tool', ''], says: /--build-tool.*empty/ },
  { args: ['convert', 'oci:x', '--prefetch-files-json', '/no/file'], says: /"\/no\/file" cannot be read: ENOENT/ },
  { args: ['convert', 'oci:x', '--prefetch-files-json', PROGRAM], says: /cannot be read: .*JSON/ },
  { args: ['convert', 'oci:x', '-', '--json'], says: /both write to stdout/ },
  { args: ['ztoc', 'x', '--compression', 'zstd'], says: /'zstd' is invalid\. Allowed choices are gzip, uncompressed/ },
  { args: ['ztoc', 'x', '--output', '-', '--json'], says: /both write to stdout/ },
  { args: ['cat', 'oci:x'], says: /missing required argument 'paths'/ },
  { args: ['cat', 'oci:x', 'etc/passwd', '--json'], says: /cat has no --json/ },
  { args: ['ls', 'oci:x', '-p', 'linux/amd64,linux/arm64'], says: /is invalid/ },
  { args: ['inspect', 'host/app:1', '--username', 'me'], says: /--username needs --password-stdin/ },
  { args: ['inspect', 'host/app:1', '--password-stdin'], says: /--password-stdin needs --username/ },
  { args: ['inspect', 'host/app:1', '--username', 'me', '--password-stdin'], says: /no password on stdin/ },
  { args: ['inspect', '-', '--username', 'me', '--password-stdin'], says: /both read stdin/ },
  { args: ['convert', 'oci:x', '--cache-from', ''], says: /--cache-from.*Write an image/ },
  { args: ['copy', 'oci:x'], says: /missing required argument 'destination'/ },
  { args: ['copy', 'oci:x', '-', '--json'], says: /both write to stdout/ },
  { args: ['rm'], says: /missing required argument 'image'/ },
  { args: ['help', 'nothing'], says: /there is no help for "nothing"\n.*topics are images, registries/ },
  { args: ['completion', 'tcsh'], says: /'tcsh' is invalid/ },
  { args: ['convert', 'oci:x'], env: { SOCIABLE_SPAN_SIZE: 'big' }, says: /'big' from env 'SOCIABLE_SPAN_SIZE'/ },
  { args: ['convert', 'oci:x'], env: { SOCIABLE_FORCE: 'maybe' }, says: /SOCIABLE_FORCE="maybe".* 1 or 0/ },
]

for (const { args, env, says } of WRONG)
  test(`wrong usage: ${JSON.stringify(env ?? args)}`, async () => {
    const { status, out, err } = await run(args, env && { env })
    assert.equal(status, 2, err)
    assert.match(err, says)
    assert.ok(err.startsWith('error: ') && err.trimEnd().split('\n').length <= 3, err)
    if (!args.includes('--json')) assert.equal(out, '')
  })

test('with --json a failure is a document too', async () => {
  const { status, out, err } = await run(['inspect', '--json', 'oci:/no/such/layout'])
  const { error } = JSON.parse(out) as { error: { code: string; message: string } }
  assert.equal(status, 1)
  assert.equal(err, `error: ${error.message.replaceAll('\n', '\n  ')}\n`)
  assert.equal(error.code, 'NOT_FOUND')
})

test('the stack only with --verbose', async () => {
  const args = ['inspect', 'oci:/no/such/layout']
  const short = await run(args)
  const long = await run([...args, '--verbose'])
  assert.equal(short.status, 1)
  assert.doesNotMatch(short.err, /\n {4}at /)
  assert.match(long.err, /\n {4}at /)
  assert.ok(long.err.startsWith(short.err))
})

test('the place of a flag does not matter', async () => {
  const { out } = await run(['--json', 'inspect', 'oci:/no/such/layout'])
  assert.equal(out, (await run(['inspect', 'oci:/no/such/layout', '--json'])).out)
})

test('variables: empty is unset, no is no', async () => {
  const args = ['inspect', 'oci:/no/such/layout']
  for (const value of ['', '0', 'false', 'No', 'off'])
    assert.equal((await run(args, { env: { SOCIABLE_JSON: value } })).out, '', value)
  for (const value of ['1', 'true', 'YES', 'on'])
    assert.match((await run(args, { env: { SOCIABLE_JSON: value } })).out, /^\{/, value)
})

test('a registry that cannot be reached is told in words', async () => {
  const { status, err } = await run(['inspect', 'registry.example/app:1'])
  assert.equal(status, 1)
  assert.match(err, /^error: .*registr/)
})

test('stdout that cannot be written is a failure', { skip: !existsSync('/dev/full') }, () => {
  const full = openSync('/dev/full', 'w')
  try {
    assert.throws(
      () => execFileSync(process.execPath, [PROGRAM, '--help'], { stdio: ['ignore', full, 'pipe'] }),
      (error: { status: number; stderr: Buffer }) =>
        error.status === 1 && /^error: stdout cannot be written: ENOSPC/.test(error.stderr.toString()),
    )
  } finally {
    closeSync(full)
  }
})
