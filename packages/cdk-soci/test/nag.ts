// What cdk-nag finds in an app's resources that are ours, in both of its forms.

import { AwsSolutionsChecks, HIPAASecurityChecks, NIST80053R4Checks, NIST80053R5Checks, PCIDSS321Checks } from 'cdk-nag'
import {
  AwsSolutionsChecks as AwsSolutionsChecks2,
  HIPAASecurityChecks as HIPAASecurityChecks2,
  type INagLogger,
  NIST80053R4Checks as NIST80053R4Checks2,
  NIST80053R5Checks as NIST80053R5Checks2,
  PCIDSS321Checks as PCIDSS321Checks2,
} from 'cdk-nag-2'
import type { IConstruct } from 'constructs'

/** Ours: below a provider, a mirror's repository, or a `SociIndexOnPush` or `SociBackfill` of a test. What else is in the app is its user's. */
const OURS =
  /\/Soci(Index(Lambda|CodeBuild|StepFunctions)|Mirror)[0-9A-F]{8}\/|\/(OnPush|Backfill)\/|\/Removal[0-9A-F]{16}\//

/** The packs of best practices, HIPAA, NIST 800-53 (revisions 4 and 5) and PCI DSS. */
export const PACKS = {
  AwsSolutionsChecks: { version3: AwsSolutionsChecks, version2: AwsSolutionsChecks2 },
  HIPAASecurityChecks: { version3: HIPAASecurityChecks, version2: HIPAASecurityChecks2 },
  NIST80053R4Checks: { version3: NIST80053R4Checks, version2: NIST80053R4Checks2 },
  NIST80053R5Checks: { version3: NIST80053R5Checks, version2: NIST80053R5Checks2 },
  PCIDSS321Checks: { version3: PCIDSS321Checks, version2: PCIDSS321Checks2 },
}
export type Pack = keyof typeof PACKS

/** As version 3 finds them, which asks what was acknowledged. */
export function findings3(app: IConstruct, pack: Pack = 'AwsSolutionsChecks'): string[] {
  const { violations } = new PACKS[pack].version3(app).validateScope(app)
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
  const logger: INagLogger = {
    onCompliance: nothing,
    onNonCompliance: ({ resource, ruleId, findingId }) => found.push(`${resource.node.path}: ${ruleId}[${findingId}]`),
    onSuppressed: nothing,
    onError: ({ resource, ruleId, errorMessage }) => found.push(`${resource.node.path}: ${ruleId}: ${errorMessage}`),
    onSuppressedError: nothing,
    onNotApplicable: nothing,
  }
  const checks = new PACKS[pack].version2({ reports: false, additionalLoggers: [logger] })
  for (const node of app.node.findAll()) if (OURS.test(node.node.path)) checks.visit(node)
  return found
}
