import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeProfile } from '../../src/profile/decode-profile.js'
import { encodeProfile } from '../../src/profile/encode-profile.js'
import { profileFromTraces, type TraceOptions } from '../../src/profile/profile-from-traces.js'

async function* chunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

/** The same result whole, in odd chunks and byte by byte. */
async function read(text: string | Buffer, options?: TraceOptions) {
  const bytes = Buffer.from(text as string)
  const results = []
  for (const size of [bytes.length || 1, 7, 1])
    results.push(await profileFromTraces([{ name: 'log', content: chunks(bytes, size) }], options))
  assert.deepEqual(results[1], results[0])
  assert.deepEqual(results[2], results[0])
  return results[0]!
}

async function paths(text: string | Buffer, options?: TraceOptions): Promise<string[]> {
  return (await read(text, options)).profile.files.map(({ path }) => path)
}

const CALLS = [
  'execve("/usr/bin/app", ["app"], 0x7ffd /* 3 vars */) = 0',
  'openat(AT_FDCWD, "/etc/a", O_RDONLY|O_CLOEXEC) = 3',
]
for (const [form, prefix] of [
  ['no prefix', ''],
  ['-t', '20:38:19 '],
  ['-tt', '20:38:19.955652 '],
  ['-ttt', '1699999999.955652 '],
  ['-r', '     0.000123 '],
  ['-r -tt', '20:38:19.955652 (+     0.000123) '],
  ['-i', '[00007f1234abcdef] '],
  ['-f', '[pid  1234] '],
  ['-f -Y', '[pid  1234<app>] '],
  ['-f -tt', '[pid 1234] 20:38:19.955652 '],
  ['-f -o', '1234 '],
  ['-f -o, short pid', '12    '],
  ['-f -tt -o', '1234  20:38:19.955652 '],
  ['-f -ttt -o', '1234  1699999999.955652 '],
  ['-f -r -o', '1234       0.000123 '],
] as const)
  for (const suffix of ['', ' <0.000021>'])
    test(`strace: ${form}${suffix === '' ? '' : ' -T'}`, async () => {
      const result = await read(CALLS.map((call) => `${prefix}${call}${suffix}\n`).join(''))
      assert.deepEqual(result.profile.files, [{ path: '/usr/bin/app' }, { path: '/etc/a' }])
      assert.deepEqual(result.traces, [{ name: 'log', form: 'strace', unresolved: 0 }])
    })

test('strace: unfinished calls are joined for each process', async () => {
  const log = `\
10 openat(AT_FDCWD, "/a", O_RDONLY <unfinished ...>
11 openat(AT_FDCWD, "/b", O_RDONLY <unfinished ...>
12 openat(AT_FDCWD, "/c",  <unfinished ...>
11 <... openat resumed>) = 3
10 <... openat resumed> ) = -1 ENOENT (No such file or directory)
12 <... openat resumed>O_RDONLY) = 4
13 <... openat resumed>) = 4
`
  assert.deepEqual(await paths(log), ['/b', '/c'])
})

test('strace: the working folder of each process, through fork, threads, chdir, fchdir and getcwd', async () => {
  const log = `\
10 getcwd("/srv", 4096) = 5
10 open("one", O_RDONLY) = 3
10 clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLD <unfinished ...>
11 chdir("app") = 0
10 <... clone resumed>, child_tidptr=0x7f) = 11
11 open("two", O_RDONLY) = 3
10 open("three", O_RDONLY) = 3
10 clone3({flags=CLONE_VM|CLONE_FS|CLONE_FILES, child_tid=0x7f}, 88) = 12
12 openat(AT_FDCWD, "/usr/lib", O_RDONLY|O_DIRECTORY) = 7
10 openat(7, "four", O_RDONLY) = 8
12 fchdir(7) = 0
10 open("five", O_RDONLY) = 3
10 dup2(7, 9) = 9
10 close(7) = 0
10 openat(9, "six", O_RDONLY) = 3
10 openat(7, "lost", O_RDONLY) = 4
`
  const { profile, traces } = await read(log)
  const found = profile.files.map(({ path }) => path)
  assert.deepEqual(found, ['/srv/one', '/srv/app/two', '/srv/three', '/usr/lib/four', '/usr/lib/five', '/usr/lib/six'])
  assert.equal(traces[0]!.unresolved, 1)
})

test('strace -y and -yy: folders and results with their paths', async () => {
  const log = `\
openat(AT_FDCWD</srv/a,b)>, "one", O_RDONLY) = 3</srv/a,b)/one>
openat(5</usr/lib>, "two", O_RDONLY|O_CLOEXEC) = 6</usr/lib/two>
read(3<TCP:[127.0.0.1:1->127.0.0.1:2]>, "x", 1) = 1
openat(AT_FDCWD</srv>, "/dev/null", O_RDWR) = 4</dev/null<char 1:3>>
execveat(6</usr/bin/tool>, "", ["tool"], 0x7f /* 1 var */, AT_EMPTY_PATH) = 0
`
  assert.deepEqual(await paths(log), ['/srv/a,b)/one', '/usr/lib/two', '/usr/bin/tool'])
})

test('strace: escaped names are bytes, valid UTF-8 or not; cut ones are counted', async () => {
  const log = String.raw`open("/caf\303\251", O_RDONLY) = 3
open("/\x63\x61\x66\xc3\xa9\x2e", O_RDONLY) = 3
open("/bad\377", O_RDONLY) = 3
open("/quote\"\\,)", O_RDONLY) = 3
open("/line\nend", O_RDONLY) = 3
open("/nul\0", O_RDONLY) = 3
open("/cut"..., O_RDONLY) = 3
`
  const { profile, traces } = await read(log)
  const found = profile.files.map(({ path }) => path)
  assert.deepEqual(found, ['/café', '/café.', '/bad\udcff', '/quote"\\,)', '/line\nend'])
  assert.equal(traces[0]!.unresolved, 1)
  assert.deepEqual(decodeProfile(encodeProfile(profile)), profile)
  assert.match(encodeProfile(profile), /^[\x20-\x7eé\n]*$/)
})

test('strace: what does not read the image', async () => {
  const log = `\
stat("/stat", {st_mode=S_IFREG|0644, st_size=1, ...}) = 0
access("/access", R_OK) = 0
open("/failed", O_RDONLY) = -1 ENOENT (No such file or directory)
open("/written", O_WRONLY) = 3
open("/etc", O_RDONLY|O_DIRECTORY) = 3
open("/path", O_PATH) = 3
open("/folder", O_RDONLY) = 3
open("/folder/in", O_RDONLY) = 3
open("/new", O_RDWR|O_CREAT|O_EXCL, 0600) = 3
open("/new", O_RDONLY) = 3
rename("/new", "/renamed") = 0
open("/renamed", O_RDONLY) = 3
mkdir("/made", 0777) = 0
open("/made/file", O_RDONLY) = 3
open("/cache", O_RDWR|O_CREAT, 0600) = 3
open("/log", O_WRONLY|O_CREAT|O_TRUNC, 0600) = 3
open("/proc/self/maps", O_RDONLY) = 3
open("/sys/x", O_RDONLY) = 3
open("/dev/urandom", O_RDONLY) = 3
open("/run/x", O_RDONLY) = 3
open("/tmp/x", O_RDONLY) = 3
open("/tmpfile", O_RDONLY) = 3
open("/usr/../bin//./x", O_RDONLY) = 3
readlink("/link", "x", 10) = 1
openat2(AT_FDCWD, "/two", {flags=O_RDONLY|O_CLOEXEC, resolve=RESOLVE_IN_ROOT}, 24) = 3
`
  assert.deepEqual(await paths(log), ['/folder/in', '/cache', '/tmpfile', '/bin/x', '/link', '/two'])
})

test('strace: a chroot with --root', async () => {
  const log = `\
openat(AT_FDCWD, "/lib/libc.so.6", O_RDONLY) = 3
chroot("/tmp/rootfs") = 0
chdir("/") = 0
execve("/bin/sh", ["sh"], 0x7f /* 0 vars */) = 0
open("etc/x", O_RDONLY) = 3
`
  assert.deepEqual(await paths(log, { root: '/tmp/rootfs/' }), ['/bin/sh', '/etc/x'])
})

test('strace: execve by a thread ends as the process', async () => {
  const log = `\
10 chdir("/srv") = 0
10 clone(child_stack=0x7f, flags=CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_THREAD) = 11
11 execve("./run", ["run"], 0x7f /* 0 vars */ <unfinished ...>
10 <... futex resumed>) = ?
11 +++ superseded by execve in pid 10 +++
10 <... execve resumed>) = 0
`
  assert.deepEqual(await paths(log), ['/srv/run'])
})

test('opensnoop of bcc, with all columns, and of bpftrace', async () => {
  const bcc = `\
PID    COMM               FD ERR PATH
1      Web Content         3   0 /etc/a
1      app                -1   2 /missing
1      app                 3   0 /name with  spaces
1      app                 3   0 relative
`
  const result = await read(bcc)
  assert.deepEqual(
    result.profile.files.map(({ path }) => path),
    ['/etc/a', '/name with  spaces'],
  )
  assert.deepEqual(result.traces, [{ name: 'log', form: 'opensnoop', unresolved: 1 }])
  const all = `\
TIME(s)       UID   PID    COMM               FD ERR FLAGS    PATH
0.000000000   0     1      app                3   0  02000000 /etc/a
0.000000001   0     1      app                3   0  00000001 /written
0.000000001   0     1      app                3   0  02200000 /folder
0.000000001   0     1      app                3   0  00000302 /new
0.000000002   0     1      app                3   0  02000000 /new
`
  assert.deepEqual(await paths(all), ['/etc/a'])
  const bpftrace = `\
Attaching 6 probes...
Tracing open syscalls... Hit Ctrl-C to end.
PID    COMM               FD ERR PATH
2440   snmp-pass           4   0 /proc/cpuinfo
25706  ls                  3   0 /etc/ld.so.cache
`
  assert.deepEqual(await paths(bpftrace), ['/etc/ld.so.cache'])
})

test('fatrace, with and without times', async () => {
  const log = `\
cat(123): RO /etc/passwd
Web Content(12): RCO  /usr/lib/a b
sh(1): W /var/log/x
sh(1): CWO /srv/out
sh(1): + /srv/new
sh(1): O /srv/new
`
  assert.deepEqual(await paths(log), ['/etc/passwd', '/usr/lib/a b'])
  assert.deepEqual(await paths('12:34:56.789012 cat(123): O /etc/passwd\n'), ['/etc/passwd'])
})

test('page lists give ranges', async () => {
  const { profile, traces } = await read('/usr/bin/app\t0-4096,8192-12288\n/etc/a\t0-9\r\n/none\t0-0\n')
  assert.deepEqual(profile.files, [
    { path: '/usr/bin/app', ranges: [[0, 4096], [8192, 12288]] }, // biome-ignore format: as it stands in the log
    { path: '/etc/a', ranges: [[0, 9]] },
  ])
  assert.equal(traces[0]!.form, 'page list')
})

test('path lists, JSON arrays, profiles and fincore --json', async () => {
  assert.deepEqual(await paths(Buffer.from('/b\n\n# comment\n/a\r\n/\xff\n', 'latin1')), ['/b', '/a', '/\udcff'])
  assert.deepEqual(await paths('[\n "/b",\n "usr/a", "/..//c"]'), ['/b', '/usr/a', '/c'])
  const profile = { version: 1, files: [{ path: '/b', ranges: [[0, 5]] }, { path: '/a' }] }
  assert.deepEqual((await read(JSON.stringify(profile, undefined, 2))).profile, profile)
  const guessed = JSON.stringify({ ...profile, static: true })
  assert.equal((await read(guessed)).profile.static, true)
  const sources = [guessed, '/c\n'].map((text) => ({ name: 'x', content: chunks(Buffer.from(text), 99) }))
  assert.equal((await profileFromTraces(sources)).profile.static, undefined)
  const fincore = { fincore: [{ res: '8K', pages: 2, size: '5K', file: '/b' }, { res: '0B', pages: 0, size: '1B', file: '/a' }] } // biome-ignore format: short
  assert.deepEqual(await paths(JSON.stringify(fincore, undefined, 1)), ['/b'])
})

test('several traces are merged in order of first use', async () => {
  const sources = ['/b\n/a\n', '["/c","/a"]', '/a\t0-9\n'].map((text, i) => ({
    name: `${i}`,
    content: chunks(Buffer.from(text), 99),
  }))
  const { profile, traces } = await profileFromTraces(sources)
  assert.deepEqual(profile.files, [{ path: '/b' }, { path: '/a' }, { path: '/c' }])
  assert.deepEqual(
    traces.map(({ form }) => form),
    ['path list', 'JSON list', 'page list'],
  )
})

test('patterns leave out whole paths', async () => {
  const exclude = ['*.pyc', '/usr/*/doc/*']
  assert.deepEqual(await paths('/a.pyc\n/a.py\n/usr/share/doc/x\n/usr/doc/x\n', { exclude }), ['/a.py', '/usr/doc/x'])
})

test('what a program prints before the trace does not decide', async () => {
  assert.deepEqual(await paths('[INFO] started\nHello\nopen("/a", O_RDONLY) = 3\n'), ['/a'])
})

test('hostile strace: a call interrupted without end, and a new process on each line', async () => {
  async function* log() {
    yield Buffer.from('1 open("/a", <unfinished ...>\n')
    for (let i = 0; i < 20_000; i++) yield Buffer.from(`1 <... open resumed>${'x'.repeat(99)} <unfinished ...>\n`)
    for (let i = 0; i < 20_000; i++) yield Buffer.from(`${i} open("/b", O_RDONLY) = ${i}\n`)
    yield Buffer.from(`1 open(${' '.repeat(1 << 19)}\n`)
  }
  const { profile } = await profileFromTraces([{ name: 'log', content: log() }])
  assert.deepEqual(profile.files, [{ path: '/b' }])
})

test('hostile traces: unknown forms, broken JSON, long lines, too many files', async () => {
  await assert.rejects(read('hello\nworld\n'), { name: 'TraceError', message: /^log: it is not a trace: use/ })
  await assert.rejects(read('{"fincore":[null]} x'), { message: /not valid JSON/ })
  assert.deepEqual(await paths('{"fincore":[null, 1]}'), [])
  await assert.rejects(read(''), { code: 'TRACE_INVALID' })
  await assert.rejects(read('["/a",'), { message: /^log: it is not valid JSON/ })
  await assert.rejects(read('["/a", 1]'), { message: 'log: item 2 of its array is not a path' })
  await assert.rejects(read('{"version":2}'), { message: /not a profile of version 1/ })
  async function* long() {
    yield Buffer.from('/a\n')
    for (let i = 0; i < 40; i++) yield Buffer.alloc(1 << 16, '/x')
    yield Buffer.from('\n/b\n')
  }
  const { profile } = await profileFromTraces([{ name: 'log', content: long() }])
  assert.deepEqual(profile.files, [{ path: '/a' }, { path: '/b' }])
  async function* many() {
    for (let i = 0; i < 1001; i++) yield Buffer.from(Array.from({ length: 1000 }, (_, j) => `/${i}.${j}\n`).join(''))
  }
  await assert.rejects(profileFromTraces([{ name: 'log', content: many() }]), { message: /more than 1000000 files/ })
})
