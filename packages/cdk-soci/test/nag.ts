// What cdk-nag finds in an app's resources that are ours, in both of its forms.

import * as nag3 from 'cdk-nag'
import * as nag2 from 'cdk-nag-2'
import type { IConstruct } from 'constructs'

/** Ours: below a provider, a mirror's repository, or a `SociIndexOnPush` or `SociBackfill` of a test. What else is in the app is its user's. */
const OURS =
  /\/Soci(Index(Lambda|CodeBuild|StepFunctions)|Mirror)[0-9A-F]{8}\/|\/(OnPush|Backfill)\/|\/Removal[0-9A-F]{16}\//

/** The packs of best practices, HIPAA, NIST 800-53 (revisions 4 and 5) and PCI DSS. */
export const PACKS = [
  'AwsSolutionsChecks',
  'HIPAASecurityChecks',
  'NIST80053R4Checks',
  'NIST80053R5Checks',
  'PCIDSS321Checks',
] as const
export type Pack = (typeof PACKS)[number]

/** As version 3 finds them, which asks what was acknowledged. */
export function findings3(app: IConstruct, pack: Pack = 'AwsSolutionsChecks'): string[] {
  const { violations } = new nag3[pack](app).validateScope(app)
  return violations.flatMap(({ ruleName, violatingResources }) =>
    violatingResources
      .filter(({ constructPath = '' }) => OURS.test(constructPath))
      .map(({ constructPath }) => `${constructPath}: ${ruleName}`),
  )
}

/** As version 2 finds them, which reads the metadata of resources. */
export function findings2(app: IConstruct, pack: Pack = 'AwsSolutionsChecks'): string[] {
  const found: string[] = []
  const nothing = () => undefined
  const logger: nag2.INagLogger = {
    onCompliance: nothing,
    onNonCompliance: ({ resource, ruleId, findingId }) => found.push(`${resource.node.path}: ${ruleId}[${findingId}]`),
    onSuppressed: nothing,
    onError: ({ resource, ruleId, errorMessage }) => found.push(`${resource.node.path}: ${ruleId}: ${errorMessage}`),
    onSuppressedError: nothing,
    onNotApplicable: nothing,
  }
  const checks = new nag2[pack]({ reports: false, additionalLoggers: [logger] })
  for (const node of app.node.findAll()) if (OURS.test(node.node.path)) checks.visit(node)
  return found
}
