import { Duration, Lazy, Stack, Token } from 'aws-cdk-lib'
import * as codebuild from 'aws-cdk-lib/aws-codebuild'
import * as iam from 'aws-cdk-lib/aws-iam'
import * as lambda from 'aws-cdk-lib/aws-lambda'
import { Asset } from 'aws-cdk-lib/aws-s3-assets'
import { Construct } from 'constructs'
import type { CodeBuildComputeOptions } from '../code-build-options'
import { acknowledge } from './acknowledge'
import { INLINE_POLICY, KEY_USE, NETWORK_INTERFACES, NO_ARTIFACTS, SOURCE_IN_S3 } from './acknowledged-rules'
import { answeringFunction, SERVICE_TIMEOUT } from './answering-function'
import { BUILD_SPEC } from './build-spec'
import { whenEnded } from './ended-work'
import { HANDLERS } from './handler-function'
import { checkNetwork } from './network'
import { type BindProvider, type Provider, stackProvider } from './provider'

const TIMEOUT = { default: 40, least: 5, most: 43 } // minutes: CodeBuild's least; with all else CloudFormation's hour
/** A build waits so long for a machine: new accounts have one, and the builds of a stack wait for each other. */
const QUEUED = 10 // minutes
/** The function only starts builds, answers, and removes what is to be deleted. */
const FUNCTION = { memorySize: 512, timeout: Duration.minutes(5) } // MiB

/** Managed images that have Node.js ("Docker images provided by CodeBuild" in its user guide). */
const MACHINES = new Map([
  ['arm64', { type: 'ARM_CONTAINER', image: 'aws/codebuild/amazonlinux-aarch64-standard:3.0' }],
  ['x86_64', { type: 'LINUX_CONTAINER', image: 'aws/codebuild/amazonlinux-x86_64-standard:5.0' }],
])

/** @throws Error for an option that is out of its bounds */
export function bindCodeBuild(options: CodeBuildComputeOptions): BindProvider {
  check(options)
  return (scope) =>
    stackProvider(scope, 'CodeBuild', options, (stack, id, key) => new CodeBuildProvider(stack, id, key, options))
}

/**
 * A function that starts a build, and answers CloudFormation when EventBridge tells that it has ended. The project is called as the function is:
 * so each knows the other without waiting for it.
 */
class CodeBuildProvider extends Construct implements Provider {
  readonly serviceToken: string
  readonly grantee: iam.IGrantable
  readonly role: iam.IRole
  readonly serviceTimeout: Duration

  constructor(
    stack: Stack,
    id: string,
    readonly key: string,
    options: CodeBuildComputeOptions,
  ) {
    super(stack, id)
    const timeout = options.timeout ?? Duration.minutes(TIMEOUT.default)
    const role =
      options.role ??
      new iam.Role(this, 'Role', {
        assumedBy: new iam.CompositePrincipal(
          new iam.ServicePrincipal('lambda.amazonaws.com'),
          new iam.ServicePrincipal('codebuild.amazonaws.com'),
        ),
      })
    const { handler, grantee, policy, log } = answeringFunction(this, {
      description: 'Starts builds of SOCI indexes, and answers CloudFormation for them (cdk-soci)',
      handler: 'codeBuildHandler',
      options,
      role,
      workTime: timeout.plus(Duration.minutes(QUEUED)),
      ...FUNCTION,
    })
    const source = new Asset(this, 'Source', { path: HANDLERS })
    const project = new codebuild.CfnProject(this, 'Project', {
      name: handler.functionName,
      description: 'Builds SOCI indexes for CloudFormation (cdk-soci)',
      serviceRole: role.roleArn,
      source: {
        type: 'S3',
        location: `${source.s3BucketName}/${source.s3ObjectKey}`,
        buildSpec: JSON.stringify(BUILD_SPEC, undefined, 2),
      },
      artifacts: { type: 'NO_ARTIFACTS' },
      environment: {
        ...MACHINES.get((options.architecture ?? lambda.Architecture.ARM_64).name)!,
        computeType: options.computeType ?? codebuild.ComputeType.SMALL,
        privilegedMode: false,
      },
      logsConfig: { cloudWatchLogs: { status: 'ENABLED', groupName: log.logGroup.logGroupName } },
      timeoutInMinutes: timeout.toMinutes(),
      queuedTimeoutInMinutes: QUEUED,
      ...(options.encryptionKey !== undefined && { encryptionKey: options.encryptionKey.keyArn }),
      ...(options.vpc !== undefined && { vpcConfig: vpcConfigOf(this, role, handler, options) }),
    })
    acknowledge(project, NO_ARTIFACTS)
    acknowledge(project, SOURCE_IN_S3)

    const projectArn = stack.formatArn({
      service: 'codebuild',
      resource: 'project',
      resourceName: handler.functionName,
    })
    allow(grantee, ['codebuild:StartBuild', 'codebuild:BatchGetBuilds'], projectArn)
    allow(grantee, ['s3:GetObject', 's3:GetObjectVersion'], source.bucket.arnForObjects(source.s3ObjectKey))
    allow(grantee, ['s3:GetBucketAcl', 's3:GetBucketLocation'], source.bucket.bucketArn)
    if (options.encryptionKey !== undefined) {
      options.encryptionKey.grantEncryptDecrypt(grantee)
      const wild = ['Action::kms:GenerateDataKey*', 'Action::kms:ReEncrypt*']
      acknowledge(policy, KEY_USE, ...wild)
    }

    const ended = {
      source: 'aws.codebuild',
      detailType: 'CodeBuild Build State Change',
      detail: {
        'project-name': [handler.functionName],
        'build-status': ['SUCCEEDED', 'FAILED', 'FAULT', 'STOPPED', 'TIMED_OUT'],
      },
    }
    whenEnded(this, ended, handler)
    this.serviceToken = handler.functionArn
    this.grantee = grantee
    this.role = role
    this.serviceTimeout = SERVICE_TIMEOUT
  }
}

function allow(grantee: iam.IGrantable, actions: string[], arn: string): void {
  iam.Grant.addToPrincipal({ grantee, actions, resourceArns: [arn] })
}

/** The function's subnets and security groups are the builds', too. */
function vpcConfigOf(
  scope: Construct,
  role: iam.IRole,
  handler: lambda.Function,
  { vpc, vpcSubnets }: CodeBuildComputeOptions,
): codebuild.CfnProject.VpcConfigProperty {
  const { subnetIds } = vpc!.selectSubnets(vpcSubnets)
  const { partition, region, account } = Stack.of(scope)
  const subnetArns = subnetIds.map((subnet) => `arn:${partition}:ec2:${region}:${account}:subnet/${subnet}`)
  // "Allow CodeBuild access to Amazon services required to create a VPC network interface" in its user guide; most can name only `*`
  const interfaces = `arn:${partition}:ec2:${region}:${account}:network-interface/*`
  const policy = new iam.Policy(scope, 'BuildNetworkPolicy', {
    statements: [
      new iam.PolicyStatement({
        actions: [
          'ec2:CreateNetworkInterface',
          'ec2:DeleteNetworkInterface',
          'ec2:DescribeDhcpOptions',
          'ec2:DescribeNetworkInterfaces',
          'ec2:DescribeSecurityGroups',
          'ec2:DescribeSubnets',
          'ec2:DescribeVpcs',
        ],
        resources: ['*'],
      }),
      new iam.PolicyStatement({
        actions: ['ec2:CreateNetworkInterfacePermission'],
        resources: [interfaces],
        conditions: {
          StringEquals: { 'ec2:Subnet': subnetArns, 'ec2:AuthorizedService': 'codebuild.amazonaws.com' },
        },
      }),
    ],
  })
  role.attachInlinePolicy(policy)
  acknowledge(policy, INLINE_POLICY)
  acknowledge(policy, NETWORK_INTERFACES, 'Resource::*', `Resource::${interfaces}`)
  const { securityGroups } = handler.connections
  return {
    vpcId: vpc!.vpcId,
    subnets: subnetIds,
    securityGroupIds: Lazy.list({ produce: () => securityGroups.map(({ securityGroupId }) => securityGroupId) }),
  }
}

function check(options: CodeBuildComputeOptions): void {
  const { timeout, architecture, computeType } = options
  if (timeout !== undefined && !timeout.isUnresolved()) {
    const minutes = timeout.toMinutes({ integral: false })
    if (!Number.isInteger(minutes) || minutes < TIMEOUT.least || minutes > TIMEOUT.most)
      throw new Error(
        `timeout is ${minutes} minutes: a build has whole minutes from ${TIMEOUT.least} to ${TIMEOUT.most}, as CloudFormation waits for an hour; leave it out for ${TIMEOUT.default}`,
      )
  }
  if (architecture !== undefined && !Token.isUnresolved(architecture.name) && !MACHINES.has(architecture.name))
    throw new Error(`architecture is ${architecture.name}: CodeBuild has ${[...MACHINES.keys()].join(' and ')}`)
  if (computeType !== undefined && /LAMBDA/.test(computeType))
    throw new Error(
      `computeType is ${computeType}, which ends builds after 15 minutes: take ${codebuild.ComputeType.SMALL} or larger, or SociCompute.lambdaFunction()`,
    )
  checkNetwork(options)
}
