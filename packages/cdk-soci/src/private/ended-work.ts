import { Rule } from 'aws-cdk-lib/aws-events'
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets'
import type * as lambda from 'aws-cdk-lib/aws-lambda'
import type { Construct } from 'constructs'

/** What EventBridge tells of work that has ended. */
export interface EndedWork {
  /** `aws.codebuild` */
  readonly source: string
  readonly detailType: string
  /** Of the event's detail: each field with the values that are meant. */
  readonly detail: Readonly<Record<string, string[]>>
}

/** Calls the function when work has ended, however it did: so CloudFormation is answered also for what died. */
export function whenEnded(scope: Construct, { source, detailType, detail }: EndedWork, handler: lambda.Function): void {
  new Rule(scope, 'Ended', {
    description: 'Answers CloudFormation when the work for a SOCI index has ended (cdk-soci)',
    eventPattern: { source: [source], detailType: [detailType], detail },
    targets: [new LambdaFunction(handler)],
  })
}
