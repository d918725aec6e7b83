// What cdk-nag finds in an app's resources that are ours, in both of its forms.

import { AwsSolutionsChecks } from 'cdk-nag'
import { AwsSolutionsChecks as AwsSolutionsChecks2, type INagLogger } from 'cdk-nag-2'
import type { IConstruct } from 'constructs'

/** Ours: below a provider, a mirror's repository, or a `SociIndexOnPush` or `SociBackfill` of a test. What else is in the app is its user's. */
const OURS = /\/Soci(Index(Lambda|CodeBuild|StepFunctions)|Mirror)[0-9A-F]{8}\/|\/(OnPush|Backfill)\//

/** As version 3 finds them, which asks what was acknowledged. */
export function findings3(app: IConstruct): string[] {
  const { violations } = new AwsSolutionsChecks(app).validateScope(app)
  return violations.flatMap(({ ruleName, violatingResources }) =>
    violatingResources
      .filter(({ constructPath = '' }) => OURS.test(constructPath))
      .map(({ constructPath }) => `${constructPath}: ${ruleName}`),
  )
}

/** As version 2 finds them, which reads the metadata of resources. */
export function findings2(app: IConstruct): string[] {
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
  for (const node of app.node.findAll()) if (OURS.test(node.node.path)) pack.visit(node)
  return found
}
