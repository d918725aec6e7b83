// docs/troubleshooting.md is found by the words of a message, so each message that it quotes is one that a program prints.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url))
const SOURCES = ['ztoc/src', 'oci/src', 'sociable/src', 'cdk-soci/src', 'cdk-soci/handlers/src']
const SNAPSHOTTER = 'github.com/awslabs/soci-snapshotter@v0.16.1'
const LEAST = 10 // characters in all: fewer are found anywhere

const [ours, snapshotter] = readFileSync(join(ROOT, 'docs/troubleshooting.md'), 'utf8').split(
  '\n## containerd and the SOCI snapshotter\n',
)

test('every message that troubleshooting quotes is in the sources', () => {
  const quoted = messages(ours!).filter((message) => !message.includes('"Snapshotter"')) // Fargate's own
  assert.ok(quoted.length > 45, `${quoted.length} messages`)
  assertQuoted(quoted, textOf(SOURCES.map((folder) => join(ROOT, 'packages', folder))))
})

test("every message of the SOCI snapshotter that troubleshooting quotes is in the snapshotter's sources", (t) => {
  const folder = moduleFolder()
  if (folder === undefined) {
    assert.ok(
      process.env.CI === undefined,
      `${SNAPSHOTTER} is not in Go's module cache: run node bench/startup/parts.mjs`,
    )
    return t.skip(`${SNAPSHOTTER} is not in Go's module cache`)
  }
  const quoted = messages(snapshotter!)
  assert.ok(quoted.length >= 6, `${quoted.length} messages`)
  assertQuoted(quoted, textOf([join(folder, 'fs'), join(folder, 'snapshot')]))
})

test('a message that no program prints is noticed', () => {
  const sources = textOf([join(ROOT, 'packages/sociable/src')])
  assert.throws(() => assertQuoted(['… is green, and … cannot be another color'], sources), /is green, and/)
})

/** The messages in headings and in the first column of tables. */
function messages(page: string): string[] {
  const lines = page.split('\n').filter((line) => line.startsWith('### ') || line.startsWith('| `'))
  return lines.flatMap((line) =>
    [...line.replace(/^(\| `[^|]*\|).*/, '$1').matchAll(/`([^`]+)`/g)].map(([, message]) => message!),
  )
}

/** Each part between `…` (and `;`, where a program joins two messages) must be in the sources as it stands. */
function assertQuoted(quoted: readonly string[], sources: string): void {
  const wrong = quoted.filter((message) => {
    const parts = message.split(/…|;/).map((part) => part.trim())
    return parts.join('').length < LEAST || parts.some((part) => /[a-z]/.test(part) && !sources.includes(part))
  })
  assert.deepEqual(wrong, [], 'no program prints these')
}

function textOf(folders: readonly string[]): string {
  const files = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)),
  )
  const texts = files.filter((file) => /(?<!_test)\.(?:ts|go)$/.test(file)).map((file) => readFileSync(file, 'utf8'))
  return texts.join('\n').replaceAll('\\`', '`')
}

function moduleFolder(): string | undefined {
  try {
    const folder = join(execFileSync('go', ['env', 'GOMODCACHE'], { encoding: 'utf8' }).trim(), SNAPSHOTTER)
    return existsSync(folder) ? folder : undefined
  } catch {
    return undefined // no Go here
  }
}
