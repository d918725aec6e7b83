// `node packages/cdk-soci/scripts/judge.mjs FOLDER`: cfn-lint and cdk-nag on every template that the tests made, after `JUDGED=FOLDER npm test`.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ensure } from '../../../scripts/tools.mjs'

/** What cfn-lint says of apps, ours or not. */
const OF_CDK = [
  'W3005', // a DependsOn that a GetAtt implies already: CDK writes both for a function and its role's policy
  'W3010', // zones by name: CDK has no others for a VPC of a stack whose region is known
  'E3703', // a join that could be a sub, in CDK's pipelines
]
/** Tests take older runtimes on purpose; the default is the newest. */
const OLDER_RUNTIME = /AwsSolutions-L1\b/

const [folder] = process.argv.slice(2)
const files = readdirSync(folder).map((name) => join(folder, name))
const templates = files.filter((name) => name.endsWith('.template.json'))
const findings = files
  .filter((name) => name.endsWith('.nag.json'))
  .map((name) => JSON.parse(readFileSync(name, 'utf8')))
  .filter((finding) => !OLDER_RUNTIME.test(finding))
for (const finding of findings) console.log(`cdk-nag: ${finding}`)

const args = ['--format', 'parseable', '--ignore-checks', ...OF_CDK, '--', ...templates]
const { status, stdout, stderr, error } = spawnSync(ensure('cfn-lint'), args, { encoding: 'utf8', maxBuffer: 64 << 20 })
process.stdout.write(stdout ?? '')
if (status !== 0 && !stdout) throw new Error(`cfn-lint failed: ${error?.message ?? stderr}`)
const bad = new Set([...stdout.matchAll(/^(.*?\.template\.json):/gm)].map(([, name]) => name)).size

if (templates.length === 0) throw new Error(`${folder} has no templates: JUDGED=${folder} npm test puts them there`)
console.log(`${templates.length - bad} passed, ${bad + findings.length} failed`)
process.exitCode = bad + findings.length === 0 ? 0 : 1
