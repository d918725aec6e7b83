// What judges templates finds nothing in what the constructs make: cfn-lint, and cdk-nag in both of its forms.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { CfnResource } from 'aws-cdk-lib'
import { lint } from './lint.js'
import { findings2, findings3 } from './nag.js'
import { wholeApps } from './whole-apps.js'
import { temporaryFolder } from './workplace.js'

const apps = wholeApps()

for (const [name, app] of apps) {
  it(`${name}: cdk-nag 3 and 2 find nothing that is not acknowledged`, () => {
    app.synth()
    assert.deepEqual(findings3(app), [])
    assert.deepEqual(findings2(app), [])
  })
}

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

it('few rules are acknowledged, each with its reason', () => {
  const reasons = new Set<string>()
  for (const app of apps.values())
    for (const node of app.node.findAll()) {
      const metadata = CfnResource.isCfnResource(node) ? node.getMetadata('cdk_nag') : undefined
      for (const { id, reason } of metadata?.rules_to_suppress ?? []) reasons.add(`${id}: ${reason}`)
    }
  assert.ok([...reasons].every((reason) => reason.length > 40) && reasons.size <= 12, [...reasons].join('\n'))
})
