import { ArnFormat, Stack } from 'aws-cdk-lib'
import * as iam from 'aws-cdk-lib/aws-iam'
import type * as kms from 'aws-cdk-lib/aws-kms'
import type * as lambda from 'aws-cdk-lib/aws-lambda'
import * as s3 from 'aws-cdk-lib/aws-s3'
import * as stepfunctions from 'aws-cdk-lib/aws-stepfunctions'
import type { Construct } from 'constructs'
import { acknowledge } from './acknowledge'
import { EXECUTIONS, INLINE_POLICY, NO_EXECUTION_LOG, RUN_BUCKET, RUN_FILES } from './acknowledged-rules'
import { backfillMachine } from './backfill-machine'
import type { SeparatePolicy } from './separate-policy'

/** The bucket for the files of runs. It stays when the stack goes. */
export function runsBucket(scope: Construct, encryptionKey: kms.IKey | undefined): s3.Bucket {
  const bucket = new s3.Bucket(scope, 'Bucket', {
    blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
    enforceSSL: true,
    encryption: encryptionKey === undefined ? s3.BucketEncryption.S3_MANAGED : s3.BucketEncryption.KMS,
    ...(encryptionKey && { encryptionKey }),
  })
  acknowledge(bucket, RUN_BUCKET)
  return bucket
}

/** Lets a function read and write the files of runs. */
export function grantRuns({ grantee, policy }: SeparatePolicy, bucket: s3.IBucket): void {
  const files = bucket.arnForObjects('runs/*')
  const grant = (actions: string[], ...resourceArns: string[]): void => {
    iam.Grant.addToPrincipal({ grantee, actions, resourceArns })
  }
  grant(['s3:GetObject', 's3:PutObject'], files)
  grant(['s3:ListBucket'], bucket.bucketArn)
  if (bucket.encryptionKey !== undefined) grant(['kms:Decrypt', 'kms:GenerateDataKey'], bucket.encryptionKey.keyArn)
  acknowledge(policy, RUN_FILES, `Resource::${files}`)
}

/** The state machine of runs, with what it may do. Gives its ARN. */
export function runsMachine(
  scope: Construct,
  handler: lambda.IFunction,
  bucket: s3.IBucket,
  maxConcurrency: number,
): string {
  const stack = Stack.of(scope)
  const role = new iam.Role(scope, 'StateMachineRole', {
    assumedBy: new iam.ServicePrincipal('states.amazonaws.com'),
  })
  const lists = bucket.arnForObjects('runs/*/images.json')
  const statement = (actions: string[], ...resources: string[]) => new iam.PolicyStatement({ actions, resources })
  const policy = new iam.Policy(scope, 'StateMachinePolicy', {
    roles: [role],
    statements: [
      statement(['lambda:InvokeFunction'], handler.functionArn),
      statement(['s3:GetObject'], lists),
      ...(bucket.encryptionKey === undefined ? [] : [statement(['kms:Decrypt'], bucket.encryptionKey.keyArn)]),
    ],
  })
  acknowledge(policy, RUN_FILES, `Resource::${lists}`)
  acknowledge(policy, INLINE_POLICY)
  const definition = backfillMachine({
    functionArn: handler.functionArn,
    bucketName: bucket.bucketName,
    maxConcurrency,
  })
  const machine = new stepfunctions.CfnStateMachine(scope, 'StateMachine', {
    roleArn: role.roleArn,
    definitionString: stack.toJsonString(definition),
  })
  machine.node.addDependency(policy)
  acknowledge(machine, NO_EXECUTION_LOG)
  // The map's executions ("IAM policies for using Distributed Map states" in the developer guide)
  const name = stack.splitArn(machine.attrArn, ArnFormat.COLON_RESOURCE_NAME).resourceName!
  const executions = stack.formatArn({
    service: 'states',
    resource: 'execution',
    resourceName: `${name}:*`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  })
  const map = new iam.Policy(scope, 'MapPolicy', {
    roles: [role],
    statements: [
      statement(['states:StartExecution'], machine.attrArn),
      statement(['states:DescribeExecution', 'states:StopExecution'], executions),
    ],
  })
  acknowledge(map, EXECUTIONS, `Resource::${executions}`)
  acknowledge(map, INLINE_POLICY)
  return machine.attrArn
}
