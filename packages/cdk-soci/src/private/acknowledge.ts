import { type CfnResource, Stack } from 'aws-cdk-lib'
import type { IConstruct } from 'constructs'
import type { AcknowledgedRule } from './acknowledged-rules'

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
 * @param findings which of the rule's findings, as `Resource::${arn}`: of a rule that has any, each has to be named
 */
export function acknowledge(construct: IConstruct, { rules, reason }: AcknowledgedRule, ...findings: string[]): void {
  const named = findings.map((finding) => flat(Stack.of(construct).resolve(finding)))
  for (const rule of rules) acknowledgeRule(construct, rule, reason, named)
}

function acknowledgeRule(construct: IConstruct, rule: string, reason: string, named: string[]): void {
  const ids = named.length === 0 ? [rule] : named.map((finding) => `${rule}[${finding}]`)
  for (const id of ids) construct.node.addMetadata(ACKNOWLEDGED_RULES, { [`Annotation::${id}`]: reason })

  const resource = (construct.node.defaultChild ?? construct) as CfnResource
  const known = (resource.getMetadata(METADATA) as { rules_to_suppress: Suppression[] } | undefined)?.rules_to_suppress
  const suppression = { id: rule, reason, ...(named.length > 0 && { applies_to: named }) }
  resource.addMetadata(METADATA, { rules_to_suppress: [...(known ?? []), suppression] })
}

/** What a template has for a token, as cdk-nag words it: `<LogicalId.Arn>` for a GetAtt, `<AWS::Region>` for a Ref. */
function flat(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value)
  const [[name, argument] = ['', '']] = Object.entries(value) as [string, unknown][]
  if (name === 'Fn::Join') return (argument as [string, unknown[]])[1].map(flat).join('')
  if (name === 'Fn::GetAtt') return `<${(argument as string[]).join('.')}>`
  if (name === 'Ref') return `<${argument}>`
  return JSON.stringify(value)
}
