import { RemovalPolicy, Stack } from 'aws-cdk-lib'
import * as iam from 'aws-cdk-lib/aws-iam'
import type * as lambda from 'aws-cdk-lib/aws-lambda'
import * as logs from 'aws-cdk-lib/aws-logs'
import type { Construct } from 'constructs'
import type { ComputeOptions } from '../compute-options'

/** The log of a function. */
export interface FunctionLog {
  readonly logGroup: logs.ILogGroup
  readonly functionProps: Pick<lambda.FunctionOptions, 'logGroup'>
  /** For releases of the CDK before 2.113, which do not know `logGroup`. */
  attach(handler: lambda.Function): void
  grantWrite(grantee: iam.IGrantable): void
}

/** A group of its own, so that its name is known before the function first writes, or that of the options. */
export function functionLog(scope: Construct, options: ComputeOptions): FunctionLog {
  const logGroup = options.logGroup ?? newLogGroup(scope, options)
  return {
    logGroup,
    functionProps: { logGroup },
    attach(handler) {
      const resource = handler.node.defaultChild as lambda.CfnFunction
      resource.addPropertyOverride('LoggingConfig.LogGroup', logGroup.logGroupName)
    },
    grantWrite(grantee) {
      iam.Grant.addToPrincipal({
        grantee,
        actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        resourceArns: [logGroup.logGroupArn],
      })
    },
  }
}

export function newLogGroup(scope: Construct, { logRetention, encryptionKey }: ComputeOptions): logs.LogGroup {
  if (encryptionKey !== undefined) {
    const { region, account, partition, urlSuffix } = Stack.of(scope)
    encryptionKey.grantEncryptDecrypt(
      new iam.ServicePrincipal(`logs.${region}.${urlSuffix}`, {
        conditions: {
          ArnLike: { 'kms:EncryptionContext:aws:logs:arn': `arn:${partition}:logs:${region}:${account}:log-group:*` },
        },
      }),
    )
  }
  return new logs.LogGroup(scope, 'Log', {
    retention: logRetention ?? logs.RetentionDays.ONE_MONTH,
    removalPolicy: RemovalPolicy.RETAIN, // a stack that is rolled back would take its explanation along
    ...(encryptionKey !== undefined && { encryptionKey }),
  })
}
