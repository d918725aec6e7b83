// The completion scripts in the shells that they are for, as a person types.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { completionScript } from '../../src/cli/completion-script.js'
import { buildProgram } from '../../src/cli/program.js'
import { Terminal } from '../../src/cli/terminal.js'
import { doubles } from '../support/registries.js'
import { makeLayout, temporaryFolder } from './layout.js'
import { skipWithoutPty } from './pty.js'
import { PROGRAM } from './run.js'

const execute = promisify(execFile)

/** Types each line with a tab behind it, and prints as JSON what then stands there: as soon as it is what is expected, or nothing has come for a while. */
const DRIVER = `
import fcntl, json, os, pty, re, select, struct, subprocess, sys, termios
command, setup, cases = sys.argv[1].split(), sys.argv[2], json.loads(sys.argv[3])
master, slave = pty.openpty()
fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack('HHHH', 40, 200, 0, 0))
child = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
os.close(slave)
def read(done, patience):
    text = ''
    while not done(text) and select.select([master], [], [], patience)[0]:
        text += os.read(master, 65536).decode()
        text = re.sub('\\x1b\\\\[\\\\?2004[hl]|\\x07', '', text)
    return text
def run(line):
    # Until the prompt behind the output: before it, the shell is between two lines, and the terminal itself would echo what is typed
    os.write(master, (line + "echo DO''NE\\n").encode())
    read(lambda text: text.endswith('READY ') and 'DONE' in text, 60)
run(setup + "; PS1='RE''ADY '; ")
lines = []
for typed, expected in cases:
    os.write(master, typed.encode() + b'\\t')
    line = read(lambda text: text.endswith(expected), 20)
    lines.append(line[max(0, line.find('sociable')):])
    run('\\x15')
child.kill()
print(json.dumps(lines))
`

/** A folder with some files, and an environment that has the program. */
async function place(t: TestContext) {
  const cwd = await temporaryFolder(t)
  await mkdir(join(cwd, 'bin'))
  await writeFile(join(cwd, 'bin', 'sociable'), `#!/bin/sh\nexec '${process.execPath}' '${PROGRAM}' "$@"\n`)
  await chmod(join(cwd, 'bin', 'sociable'), 0o755)
  await mkdir(join(cwd, 'layout'))
  await writeFile(join(cwd, 'archive.tar'), '')
  await (await makeLayout(join(cwd, 'image'))).add('app', [{ a: 'a' }])
  const env = { PATH: `${join(cwd, 'bin')}${delimiter}${process.env.PATH}`, HOME: cwd, TERM: 'dumb', LANG: 'C.UTF-8' }
  return { cwd, env }
}

/** What is typed, and what the line is after the tab, in every shell. */
const CASES: readonly (readonly [typed: string, line: string])[] = [
  ['sociable conv', 'sociable convert '],
  ['sociable convert --sp', 'sociable convert --span-size '],
  ['sociable convert -p linux/am', 'sociable convert -p linux/amd64 '],
  ['sociable ztoc --compression g', 'sociable ztoc --compression gzip '],
  ['sociable ztoc arch', 'sociable ztoc archive.tar '],
  ['sociable inspect docker', 'sociable inspect docker-archive:'],
  ['sociable inspect oci:lay', 'sociable inspect oci:layout/'],
  ['sociable ls oci-archive:arch', 'sociable ls oci-archive:archive.tar '],
  ['sociable serve lay', 'sociable serve layout/'],
  ['sociable convert --start-layer n', 'sociable convert --start-layer none '],
  ['sociable inspect oci:image:ap', 'sociable inspect oci:image:app '],
  ['sociable inspect oci:image:', 'sociable inspect oci:image:app '],
  ['sociable help exit', 'sociable help exit-status '],
  ['sociable completion z', 'sociable completion zsh '],
]

for (const [shell, command] of [
  ['bash', 'bash --norc --noprofile -i'],
  ['zsh', 'zsh -f -i'],
] as const)
  test(`${shell} completes what is typed`, { skip: skipWithoutPty }, async (t) => {
    const { tool } = await doubles()
    if (shell !== 'bash' && (await tool(t, shell)) === undefined) return
    const { cwd, env } = await place(t)
    const setup = `source <(sociable completion ${shell})`
    const { stdout } = await execute('python3', ['-c', DRIVER, command, setup, JSON.stringify(CASES)], { cwd, env })
    assert.deepEqual(
      JSON.parse(stdout),
      CASES.map(([, line]) => line),
    )
  })

/** Its strings; the rest has balanced brackets, or this throws. */
function powershellStrings(script: string): string[] {
  const strings: string[] = []
  const open: string[] = []
  const closing: Readonly<Record<string, string>> = { '(': ')', '{': '}', '[': ']' }
  const code = script.replace(/^ *#.*$/gm, '').replace(/'((?:[^']|'')*)'|"[^"]*"/g, (_, text?: string) => {
    if (text !== undefined) strings.push(text.replaceAll("''", "'"))
    return ''
  })
  assert.ok(!/['"]/.test(code))
  for (const letter of code)
    if (letter in closing) open.push(closing[letter]!)
    else if (')}]'.includes(letter)) assert.equal(open.pop(), letter)
  assert.deepEqual(open, [])
  return strings
}

test('the script for PowerShell is well-formed, and has the flags and values of every command', () => {
  const io = { stdout: process.stdout, stderr: process.stderr, env: {} } as unknown as NodeJS.Process
  const program = buildProgram(new Terminal(io, new AbortController().signal))
  const script = completionScript(program, 'powershell')
  const strings = powershellStrings(script)
  for (const command of program.commands) {
    const flags = new RegExp(`^    '${command.name()}' = @\\((.*)\\)$`, 'm').exec(script)?.[1] ?? ''
    for (const { long, hidden } of command.options)
      assert.equal(flags.includes(`'${long}'`), !hidden, `${command.name()} ${long}`)
  }
  // Keys of a table that differ only in case would be the same to PowerShell
  for (const [table] of script.matchAll(/@\{\n[^}]*\n {2}\}/g)) {
    const keys = [...table.matchAll(/^ {4}'([^']+)' = /gm)].map(([, key]) => key!.toLowerCase())
    assert.ok(keys.length > 20)
    assert.equal(new Set(keys).size, keys.length)
  }
  for (const word of ['linux/arm64', 'uncompressed', 'oci-archive:', 'exit-status', 'powershell'])
    assert.ok(strings.includes(word), word)
  assert.match(script, /^ {4}'--start-layer' = @\('zstd', 'gzip', 'none'\)$/m)
  assert.match(script, /^ {4}'--span-size' = @\(\)$/m)
})

test('fish completes what is typed', async (t) => {
  const { tool } = await doubles()
  const fish = await tool(t, 'fish')
  if (fish === undefined) return
  const { cwd, env } = await place(t)
  const script = `sociable completion fish | source\n${CASES.map(([typed]) => `complete -C '${typed}' | cut -f 1; echo =`).join('\n')}`
  const { stdout } = await execute(fish, ['--no-config', '-c', script], { cwd, env })
  const found = stdout.split('=\n').slice(0, -1)
  for (const [i, [typed, line]] of CASES.entries()) assert.equal(found[i], `${line.trim().split(' ').at(-1)}\n`, typed)
})
