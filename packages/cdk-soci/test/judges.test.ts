// What judges templates finds nothing in what the constructs make: cfn-lint, and cdk-nag in both of its forms.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { CfnResource } from 'aws-cdk-lib'
import { lint } from './lint.js'
import { findings2, findings3, PACKS, type Pack } from './nag.js'
import { wholeApps } from './whole-apps.js'
import { temporaryFolder } from './workplace.js'

const apps = wholeApps()

/** What options satisfy: docs/compliance.md has them, too. */
const BY_OPTION =
  /-(LambdaInsideVPC|CloudWatchLogGroupEncrypted|S3DefaultEncryptionKMS|LambdaConcurrency|CloudWatchAlarmAction)\b/

for (const [name, app] of apps)
  for (const pack of Object.keys(PACKS) as Pack[])
    it(`${name}: ${pack} of cdk-nag 3 and 2 find only what an option satisfies, and nothing if all are given`, () => {
      app.synth()
      const found = [...findings3(app, pack), ...findings2(app, pack)]
      assert.deepEqual(
        found.filter((finding) => name.endsWith('Full') || !BY_OPTION.test(finding)),
        [],
      )
    })

it('cfn-lint has nothing to say', (t) => {
  const folder = temporaryFolder(t)
  const templates = [...apps.values()].flatMap((app) => app.synth().stacksRecursively)
  const files = templates.map(({ stackName, template }) => {
    const file = join(folder, `${stackName}.template.json`)
    writeFileSync(file, JSON.stringify(template))
    return file
  })
  lint(t, files)
})

it('rules are acknowledged with a reason that a reviewer can judge', () => {
  const reasons = new Set<string>()
  for (const app of apps.values())
    for (const node of app.node.findAll()) {
      const metadata = CfnResource.isCfnResource(node) ? node.getMetadata('cdk_nag') : undefined
      for (const { reason } of metadata?.rules_to_suppress ?? []) reasons.add(reason)
    }
  assert.ok(
    [...reasons].every((reason) => reason.length > 40 && reason.endsWith('.')) && reasons.size <= 14,
    [...reasons].join('\n'),
  )
})
