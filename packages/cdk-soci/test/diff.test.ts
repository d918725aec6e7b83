// `cdk diff` as a user sees it, with a template in the place of what is deployed: comparing with CloudFormation's takes an account.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { PACKAGE, run, temporaryFolder, WORKSPACE } from './workplace.js'

const CDK = join(WORKSPACE, 'node_modules/aws-cdk/bin/cdk')
const cwd = join(PACKAGE, 'examples', 'fargate-service')

test('cdk diff is silent when nothing changed, and names an index whose options did', (t) => {
  const folder = temporaryFolder(t)
  run('node', [CDK, 'synth', '--quiet', '--output', folder], { cwd })
  const template = join(folder, readdirSync(folder).find((name) => name.endsWith('.template.json'))!)
  const assembly = join(folder, 'new')
  const diff = (...app: string[]) => run('node', [CDK, 'diff', '--fail', ...app, '--template', template], { cwd })
  diff('--output', assembly)

  const deployed = readFileSync(template, 'utf8')
  const other = deployed.replace('"Format": "v2",', '"Format": "v2", "SpanSize": "1048576",')
  assert.notEqual(other, deployed)
  writeFileSync(template, other)
  assert.throws(() => diff('--app', assembly), /\[~\] Custom::SociIndex [\s\S]*SpanSize/)
})
