// The integration tests, which need an AWS account and are not run here: what can be said of them without one.
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { lint } from './lint.js'
import { PACKAGE, run, temporaryFolder, WORKSPACE } from './workplace.js'

const INTEG = join(PACKAGE, 'integ')
const NAMES = readdirSync(INTEG).filter((name) => /^integ\..*\.ts$/.test(name))

it('integ-runner finds them as its README calls it', () => {
  const runner = join(WORKSPACE, 'node_modules/@aws-cdk/integ-runner/bin/integ-runner')
  const args = [runner, '--list', '--directory', INTEG, '--app', 'node {filePath}', '--test-regex', '^integ\\..*\\.ts$']
  const listed = run('node', args)
  for (const name of NAMES) assert.ok(listed.includes(name), listed)
})

for (const name of NAMES)
  it(`${name}: its stacks and assertions synthesize, and cfn-lint has nothing to say`, (t) => {
    const output = temporaryFolder(t)
    run('node', [name], { cwd: INTEG, env: { CDK_OUTDIR: output } })
    const templates = readdirSync(output).filter((file) => file.endsWith('.template.json'))
    assert.equal(templates.length, 2, `${templates}`)
    lint(
      t,
      templates.map((file) => join(output, file)),
    )
  })
