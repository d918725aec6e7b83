// A handler that tries what the bare environment must not allow: if it could, the tests that rely on that would prove nothing.
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export function handler(event: { readonly elsewhere: string }): Record<string, string> {
  const attempts = {
    writesTask: () => writeFileSync(new URL('./x', import.meta.url), 'x'),
    writesTmp: () => writeFileSync(join(tmpdir(), 'sociable-probe'), 'x'),
    reads: () => readFileSync(event.elsewhere),
    starts: () => execFileSync('true'),
  }
  const code = (attempt: () => unknown) => {
    try {
      attempt()
      return 'allowed'
    } catch (error) {
      return (error as { code: string }).code
    }
  }
  const outcomes = Object.entries(attempts).map(([name, attempt]) => [name, code(attempt)])
  return { ...Object.fromEntries(outcomes), environment: Object.keys(process.env).sort().join() }
}
