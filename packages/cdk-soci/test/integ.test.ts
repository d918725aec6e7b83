// The integration tests, which need an AWS account and are not run here: what can be said of them without one.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, it } from 'node:test'
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

const output = temporaryFolder({ after })
const templatesOf = (name: string) => {
  const folder = join(output, name)
  return readdirSync(folder)
    .filter((file) => file.endsWith('.template.json'))
    .map((file) => join(folder, file))
}

for (const name of NAMES)
  it(`${name}: its stack and its assertions synthesize`, () => {
    run('node', [name], { cwd: INTEG, env: { CDK_OUTDIR: join(output, name) } })
    assert.equal(templatesOf(name).length, 2, `${templatesOf(name)}`)
  })

it('they compile', () => {
  run('node', [join(WORKSPACE, 'node_modules/typescript/bin/tsc'), '-p', INTEG])
})

it('cfn-lint has nothing to say of them', (t) => lint(t, NAMES.flatMap(templatesOf)))

it('the README names each', () => {
  const readme = readFileSync(join(INTEG, 'README.md'), 'utf8')
  for (const name of NAMES) assert.ok(readme.includes(`| \`${name}\` |`), name)
})
