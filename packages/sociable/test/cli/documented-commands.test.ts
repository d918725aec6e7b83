// The commands in README and docs are ones that the program has, with flags that they have.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { buildProgram } from '../../src/cli/program.js'
import { Terminal } from '../../src/cli/terminal.js'

const ROOT = new URL('../../../../../', import.meta.url)
const DOCS = readdirSync(new URL('docs', ROOT)).filter((name) => name.endsWith('.md') && name !== 'cli.md')
const PAGES = ['README.md', 'packages/sociable/README.md', ...DOCS.map((name) => `docs/${name}`)]

test('README and docs: every command and flag of a shell block exists', () => {
  const program = buildProgram(new Terminal(process, new AbortController().signal))
  const lines = PAGES.flatMap((page) => {
    const text = readFileSync(new URL(page, ROOT), 'utf8')
    const blocks = [...text.matchAll(/```(?:sh|console)\n(.*?)```/gs)].map(([, code]) => code!.replaceAll('\\\n', ' '))
    const commands = blocks.flatMap((code) => [...code.matchAll(/(?:^|[($|] ?|npx )sociable ([^#|>\n)]+)/gm)])
    return commands.map(([, line]) => ({ page, words: line!.trim().split(/\s+/) }))
  })
  assert.ok(lines.length > 30, `${lines.length} commands`)
  for (const { page, words } of lines) {
    const where = `${page}: sociable ${words.join(' ')}`
    const command = program.commands.find((each) => each.name() === words[0])
    assert.ok(command !== undefined, where)
    const flags = words.filter((word) => /^-{1,2}[a-z]/i.test(word)).map((word) => word.split('=')[0]!)
    const known = [...command.options, ...program.options].flatMap(({ long, short }) => [long, short])
    assert.deepEqual(
      flags.filter((flag) => !known.includes(flag)),
      [],
      where,
    )
  }
})
