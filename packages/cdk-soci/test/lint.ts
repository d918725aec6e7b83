// cfn-lint, from PyPI, on templates.

import type { TestContext } from 'node:test'
import { run, tool } from './workplace.js'

/** What cfn-lint says of every CDK app, ours or not. */
const OF_CDK = [
  'W3005', // a DependsOn that a GetAtt implies already: CDK writes both for a function and its role's policy
]

/** Fails where cfn-lint has an error or a warning in a template; skips the test where cfn-lint cannot be had. */
export function lint(t: TestContext, templates: readonly string[]): void {
  const cfnLint = tool(t, 'cfn-lint')
  if (cfnLint !== undefined) run(cfnLint, ['--ignore-checks', ...OF_CDK, '--', ...templates])
}
