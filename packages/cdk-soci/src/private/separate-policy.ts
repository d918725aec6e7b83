import * as iam from 'aws-cdk-lib/aws-iam'
import type { Construct } from 'constructs'
import { acknowledge } from './acknowledge'
import { INLINE_POLICY } from './acknowledged-rules'

/** An inline policy that nothing waits for but who is told to, and what grants are given to it by. */
export interface SeparatePolicy {
  readonly policy: iam.Policy
  readonly grantee: iam.IGrantable
}

/**
 * A policy apart from the role's default one: a function waits for that, which would be a cycle where a statement names the function.
 * A role that may not be updated does not get it.
 */
export function separatePolicy(scope: Construct, id: string, role: iam.IRole): SeparatePolicy {
  const policy = new iam.Policy(scope, id)
  role.attachInlinePolicy(policy)
  acknowledge(policy, INLINE_POLICY)
  const addToPrincipalPolicy = (statement: iam.PolicyStatement): iam.AddToPrincipalPolicyResult => {
    policy.addStatements(statement)
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
