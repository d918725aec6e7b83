import type { CfnResource } from 'aws-cdk-lib'
import type { IConstruct } from 'constructs'

/** Where cdk-nag 3 and `Validations` of aws-cdk-lib look. Written by hand: older releases of aws-cdk-lib have no `Validations`. */
const ACKNOWLEDGED_RULES = 'aws:cdk:acknowledged-rules'
/** Where cdk-nag 2 looks, and what reads templates after it. */
const METADATA = 'cdk_nag'

interface Suppression {
  readonly id: string
  readonly reason: string
  readonly applies_to?: string[]
}

/**
 * Tells cdk-nag, 3 and 2, why a resource does on purpose what a rule forbids, so that its users need not.
 * @param construct a resource, or what has one as its default child
 * @param findings which of the rule's findings, as `Resource::*`; all if none is given
 */
export function acknowledge(construct: IConstruct, rule: string, reason: string, ...findings: string[]): void {
  const ids = findings.length === 0 ? [rule] : findings.map((finding) => `${rule}[${finding}]`)
  for (const id of ids) construct.node.addMetadata(ACKNOWLEDGED_RULES, { [`Annotation::${id}`]: reason })

  const resource = (construct.node.defaultChild ?? construct) as CfnResource
  const known = (resource.getMetadata(METADATA) as { rules_to_suppress: Suppression[] } | undefined)?.rules_to_suppress
  const suppression = { id: rule, reason, ...(findings.length > 0 && { applies_to: findings }) }
  resource.addMetadata(METADATA, { rules_to_suppress: [...(known ?? []), suppression] })
}
