import assert from 'node:assert/strict'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeLayout, type Tree, temporaryFolder } from './layout.js'
import { run } from './run.js'

const LOG = `\
execve("/usr/bin/app", ["app"], 0x7ffd /* 3 vars */) = 0
openat(AT_FDCWD, "/etc/name", O_RDONLY|O_CLOEXEC) = 3
`
const PROFILE = '{"version":1,"files":[\n{"path":"/usr/bin/app"},\n{"path":"/etc/name"}\n]}\n'

test('profile: from a file and from stdin, to stdout and to a file', async (t) => {
  const cwd = await temporaryFolder(t)
  await writeFile(join(cwd, 'start.log'), LOG)
  const file = await run(['profile', 'start.log'], { cwd })
  assert.deepEqual([file.status, file.out, file.err], [0, PROFILE, ''])
  const stdin = await run(['profile', '-', '--output', 'start.json'], { cwd, input: LOG })
  assert.deepEqual([stdin.status, stdin.out], [0, ''])
  assert.equal(await readFile(join(cwd, 'start.json'), 'utf8'), PROFILE)
  const json = await run(['profile', 'start.json', '--json'], { cwd })
  assert.equal(json.out, PROFILE)
})

test('profile: failures write nothing', async (t) => {
  const cwd = await temporaryFolder(t)
  await writeFile(join(cwd, 'bad'), 'hello\n')
  for (const [args, says] of [
    [['bad', '-o', 'x'], /error: bad: it is not a trace/],
    [['missing', '-o', 'x'], /error: missing: no such file/],
    [['-', '--root', '/other', '-o', 'x'], /no file of an image is read in -: check --root/],
    [['-', '--root', 'other', '-o', 'x'], /the root "other" is not an absolute path/],
  ] as const) {
    const { status, out, err } = await run(['profile', ...args], { cwd, input: LOG })
    assert.deepEqual([status, out], [1, ''], err)
    assert.match(err, says)
    assert.doesNotMatch(err, /fault in sociable/)
  }
  assert.deepEqual(await readdir(cwd), ['bad'])
  assert.equal((await run(['profile'], { cwd })).status, 2)
  assert.equal((await run(['profile', '-', '-'], { cwd })).status, 2)
})

test('profile --check: what an image has, through symlinks, and what is missing', async (t) => {
  const cwd = await temporaryFolder(t)
  const layout = await makeLayout(join(cwd, 'image'))
  await layout.add('app', [
    { 'usr/bin/app': 'app', bin: { link: 'usr/bin' }, 'etc/old': 'old' },
    { 'etc/.wh.old': '', 'etc/name': 'x' },
  ])
  await writeFile(join(cwd, 'all'), '/bin/app\n/etc/name\n/etc/hosts\n')
  const all = await run(['profile', 'all', '--check', 'oci:image:app', '--platform', 'linux/amd64'], { cwd })
  assert.deepEqual([all.status, all.out], [0, 'oci:image:app (linux/amd64) has 3 of 3 files of the profile\n'], all.err)
  await writeFile(join(cwd, 'some'), '/bin/app\n/etc/old\n/usr/bin\n')
  const args = ['profile', 'some', '--check', 'oci:image:app', '--platform', 'linux/amd64']
  const some = await run(args, { cwd })
  assert.equal(some.status, 1)
  assert.equal(
    some.out,
    'oci:image:app (linux/amd64) has 1 of 3 files of the profile\n1 path missing:\n  /etc/old\n1 path not a regular file:\n  /usr/bin\n',
  )
  const json = await run([...args, '--json'], { cwd })
  assert.equal(json.status, 1)
  const { paths, found, missing, notFiles } = JSON.parse(json.out)
  assert.deepEqual(
    { paths, found, missing, notFiles },
    { paths: 3, found: 1, missing: ['/etc/old'], notFiles: ['/usr/bin'] },
  )
})

test('profile --static: follows the command of an image through symlinks and layers, and fits it', async (t) => {
  const cwd = await temporaryFolder(t)
  const layout = await makeLayout(join(cwd, 'image'))
  const layers: readonly Tree[] = [
    { 'usr/bin/old': 'old', bin: { link: 'usr/bin' }, 'etc/passwd': 'root' },
    {
      'usr/bin/.wh.old': '',
      'usr/bin/start': '#!/usr/bin/run\n',
      'usr/bin/run': 'old\nlate\n',
      'usr/bin/late': 'true',
    },
  ]
  await layout.add('app', layers, 'amd64', { Entrypoint: ['/bin/start'], Env: ['PATH=/bin'] })
  await layout.add('none', layers)
  const args = ['--platform', 'linux/amd64']
  const made = await run(['profile', '--static', 'oci:image:app', '-o', 'start.json', ...args], { cwd })
  assert.deepEqual([made.status, made.out], [0, ''], made.err)
  const { files } = JSON.parse(await readFile(join(cwd, 'start.json'), 'utf8'))
  assert.deepEqual(files, [
    { path: '/bin/start' },
    { path: '/usr/bin/run' },
    { path: '/bin/late' },
    { path: '/etc/passwd' },
  ])
  const check = await run(['profile', 'start.json', '--check', 'oci:image:app', ...args], { cwd })
  assert.deepEqual([check.status, check.out], [0, 'oci:image:app (linux/amd64) has 4 of 4 files of the profile\n'])
  const less = await run(['profile', '--static', 'oci:image:app', '--exclude', '*late', ...args], { cwd })
  assert.doesNotMatch(less.out, /late/)
  const none = await run(['profile', '--static', 'oci:image:none', '-o', 'none.json', ...args], { cwd })
  assert.equal(none.status, 1)
  assert.match(none.err, /neither an entry point nor a command/)
  assert.doesNotMatch((await readdir(cwd)).join(' '), /none\.json/)
})

test('profile: a profile that never ends is refused', { skip: process.platform !== 'linux' }, async (t) => {
  const cwd = await temporaryFolder(t)
  const { status, err } = await run(['report', 'oci:image:app', '--profile', '/dev/zero', '-o', 'x.html'], { cwd })
  assert.notEqual(status, 0)
  assert.match(err, /larger than the limit of 256 MiB/)
  assert.deepEqual(await readdir(cwd), [])
})
