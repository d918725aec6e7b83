// What judges templates finds nothing in what the constructs make: cfn-lint, and cdk-nag in both of its forms.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { type App, CfnResource } from 'aws-cdk-lib'
import { AwsSolutionsChecks } from 'cdk-nag'
import { AwsSolutionsChecks as AwsSolutionsChecks2, type INagLogger } from 'cdk-nag-2'
import { lint } from './lint.js'
import { wholeApps } from './whole-apps.js'
import { temporaryFolder } from './workplace.js'

/** Ours: below a provider or a mirror's repository. What else is in the app is its user's. */
const isOurs = (path: string) => /\/Soci(Index(Lambda|CodeBuild|StepFunctions)|Mirror)[0-9A-F]{8}\//.test(path)

/** As version 3 finds them: it asks what was acknowledged. */
function findings3(app: App): string[] {
  const { violations } = new AwsSolutionsChecks(app).validateScope(app)
  return violations.flatMap(({ ruleName, violatingResources }) =>
    violatingResources.map(({ constructPath }) => `${constructPath}: ${ruleName}`),
  )
}

/** As version 2 finds them: it reads the metadata of resources. */
function findings2(app: App): string[] {
  const found: string[] = []
  const nothing = () => undefined
  const logger: INagLogger = {
    onCompliance: nothing,
    onNonCompliance: ({ resource, ruleId, findingId }) => found.push(`${resource.node.path}: ${ruleId}[${findingId}]`),
    onSuppressed: nothing,
    onError: ({ resource, ruleId, errorMessage }) => found.push(`${resource.node.path}: ${ruleId}: ${errorMessage}`),
    onSuppressedError: nothing,
    onNotApplicable: nothing,
  }
  const pack = new AwsSolutionsChecks2({ reports: false, additionalLoggers: [logger] })
  for (const node of app.node.findAll()) pack.visit(node)
  return found
}

for (const [name, app] of wholeApps()) {
  describe(name, () => {
    const assembly = app.synth()

    it('cdk-nag 3 finds nothing that is not acknowledged', () => {
      assert.deepEqual(findings3(app).filter(isOurs), [])
    })

    it('cdk-nag 2 finds nothing that is not suppressed by metadata', () => {
      assert.deepEqual(findings2(app).filter(isOurs), [])
    })

    it('cfn-lint has nothing to say', (t) => {
      const folder = temporaryFolder(t)
      const files = assembly.stacksRecursively.map(({ stackName, template }) => {
        const file = join(folder, `${stackName}.template.json`)
        writeFileSync(file, JSON.stringify(template))
        return file
      })
      lint(t, files)
    })
  })
}

it('few rules are acknowledged, each with its reason', () => {
  const reasons = new Set<string>()
  for (const app of wholeApps().values())
    for (const node of app.node.findAll()) {
      const metadata = CfnResource.isCfnResource(node) ? node.getMetadata('cdk_nag') : undefined
      for (const { id, reason } of metadata?.rules_to_suppress ?? []) reasons.add(`${id}: ${reason}`)
    }
  assert.ok(
    [...reasons].every((reason) => reason.length > 40),
    [...reasons].join('\n'),
  )
  assert.ok(reasons.size <= 8, [...reasons].join('\n'))
})
