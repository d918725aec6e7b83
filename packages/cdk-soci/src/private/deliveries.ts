import * as iam from 'aws-cdk-lib/aws-iam'
import * as lambda from 'aws-cdk-lib/aws-lambda'
import type * as sqs from 'aws-cdk-lib/aws-sqs'
import type { Construct } from 'constructs'
import { acknowledge } from './acknowledge'
import { INLINE_POLICY, TRACES } from './acknowledged-rules'

/** What Lambda itself sends somewhere for a function: traces, and events that were not finished. */
export interface Deliveries {
  /** Lambda looks for the permissions when it makes the function, which therefore waits for them. */
  attach(handler: lambda.Function, deadLetterQueue: sqs.IQueue | undefined): void
}

export interface DeliveryOptions {
  readonly tracing?: lambda.Tracing | undefined
  readonly deadLetterQueue?: sqs.IQueue | undefined
}

/** By L1: the CDK would put the permissions into the role's default policy, of which others are none of ours to acknowledge. */
export function deliveriesOf(
  scope: Construct,
  role: iam.IRole,
  { tracing, deadLetterQueue: queue }: DeliveryOptions,
): Deliveries {
  const traces = tracing !== undefined && tracing !== lambda.Tracing.DISABLED
  const statements = [
    ...(traces ? [statement(['xray:PutTelemetryRecords', 'xray:PutTraceSegments'], '*')] : []),
    ...(queue === undefined ? [] : [statement(['sqs:SendMessage'], queue.queueArn)]),
    ...(queue?.encryptionMasterKey === undefined
      ? []
      : [statement(['kms:Decrypt', 'kms:GenerateDataKey'], queue.encryptionMasterKey.keyArn)]),
  ]
  if (statements.length === 0) return { attach: () => undefined }
  const policy = new iam.Policy(scope, 'DeliveryPolicy', { statements })
  role.attachInlinePolicy(policy)
  acknowledge(policy, INLINE_POLICY)
  if (traces) acknowledge(policy, TRACES, 'Resource::*')
  return {
    attach(handler, deadLetterQueue) {
      const resource = handler.node.defaultChild as lambda.CfnFunction
      if (traces) resource.tracingConfig = { mode: tracing }
      if (deadLetterQueue !== undefined) resource.deadLetterConfig = { targetArn: deadLetterQueue.queueArn }
      handler.node.addDependency(policy)
    },
  }
}

function statement(actions: string[], resource: string): iam.PolicyStatement {
  return new iam.PolicyStatement({ actions, resources: [resource] })
}
