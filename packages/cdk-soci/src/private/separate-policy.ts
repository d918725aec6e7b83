import * as iam from 'aws-cdk-lib/aws-iam'
import type { Construct } from 'constructs'
import { acknowledge } from './acknowledge'
import { INLINE_POLICY } from './acknowledged-rules'

/** An inline policy that nothing waits for but who is told to, and what grants are given to it by. */
export interface SeparatePolicy {
  readonly policy: iam.Policy
  readonly grantee: iam.IGrantable
}

/** What was reported of a role. */
const reported = new WeakMap<iam.IRole, Set<string>>()

/** The report of `customizeRoles` has no policy that is filled after it was attached, but what the role is given itself. */
function report(role: iam.IRole, statement: iam.PolicyStatement): void {
  const known = reported.get(role) ?? new Set<string>()
  reported.set(role, known)
  const text = JSON.stringify(statement.toJSON())
  if (known.size < known.add(text).size) role.addToPrincipalPolicy(statement)
}

/** Set where `iam.Role.customizeRoles()` was called: roles are made elsewhere then, of a report of what is granted. */
const CUSTOMIZED_ROLES = '@aws-cdk/iam:customizeRoles'

/**
 * A policy apart from the role's default one: a function waits for that, which would be a cycle where a statement names the function.
 * A role that may not be updated does not get it. Statements with the same actions become one, whatever the app's feature flags: an inline policy for 60
 * repositories would not fit otherwise.
 */
export function separatePolicy(scope: Construct, id: string, role: iam.IRole): SeparatePolicy {
  const policy = new iam.Policy(scope, id, { document: new iam.PolicyDocument({ minimize: true }) })
  const isCustomized = role.node.tryGetContext(CUSTOMIZED_ROLES) !== undefined
  role.attachInlinePolicy(policy)
  acknowledge(policy, INLINE_POLICY)
  const addToPrincipalPolicy = (statement: iam.PolicyStatement): iam.AddToPrincipalPolicyResult => {
    policy.addStatements(statement)
    if (isCustomized) report(role, statement)
    return { statementAdded: true, policyDependable: policy }
  }
  const principal: iam.IPrincipal = {
    get grantPrincipal() {
      return principal
    },
    assumeRoleAction: role.assumeRoleAction,
    policyFragment: role.policyFragment,
    principalAccount: role.principalAccount,
    addToPrincipalPolicy,
  }
  return { policy, grantee: principal }
}
