import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Duration, type Stack } from 'aws-cdk-lib'
import { ComputeType } from 'aws-cdk-lib/aws-codebuild'
import { SecurityGroup, Vpc } from 'aws-cdk-lib/aws-ec2'
import { Repository } from 'aws-cdk-lib/aws-ecr'
import { CompositePrincipal, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { Architecture } from 'aws-cdk-lib/aws-lambda'
import { type CodeBuildComputeOptions, SociCompute, SociIndexV2Build } from 'cdk-soci'
import { idOf, idOfIndexer, indexerOf, indexesOf, newStack, ofType, only, statementsOf, templateOf } from './support.js'

function addIndex(stack: Stack, id: string, options: CodeBuildComputeOptions = {}): SociIndexV2Build {
  const repository = Repository.fromRepositoryName(stack, `${id}Repository`, 'app')
  return new SociIndexV2Build(stack, id, { repository, inputImageTag: 'app', compute: SociCompute.codeBuild(options) })
}

test('by default a small machine on arm64, with a managed image', () => {
  const stack = newStack()
  addIndex(stack, 'Index')
  const { Properties } = only(stack, 'AWS::CodeBuild::Project')
  assert.deepEqual(Properties.Environment, {
    ComputeType: 'BUILD_GENERAL1_SMALL',
    Image: 'aws/codebuild/amazonlinux-aarch64-standard:3.0',
    PrivilegedMode: false,
    Type: 'ARM_CONTAINER',
  })
  assert.equal(Properties.TimeoutInMinutes, 40)
  const handler = indexerOf(stack).Properties
  assert.equal(handler.Handler, 'index.codeBuildHandler')
  assert.equal(handler.MemorySize, 512)
})

test("its source is the handlers' bundle, and nothing comes from elsewhere", () => {
  const stack = newStack()
  addIndex(stack, 'Index')
  const { Source, Artifacts } = only(stack, 'AWS::CodeBuild::Project').Properties
  const { S3Key } = indexerOf(stack).Properties.Code
  assert.equal(Source.Type, 'S3')
  assert.ok(JSON.stringify(Source.Location).includes(`/${S3Key}`))
  assert.deepEqual(Artifacts, { Type: 'NO_ARTIFACTS' })
  const { phases, env } = JSON.parse(Source.BuildSpec)
  assert.deepEqual(Object.keys(phases), ['install', 'build'])
  assert.deepEqual(phases.install, { 'runtime-versions': { nodejs: '22' } })
  assert.deepEqual(env, { 'exported-variables': ['SOCI_RESULT'] })
  assert.doesNotMatch(Source.BuildSpec, /https?:|wget|curl|npm|npx/)
})

test('options reach the project', () => {
  const stack = newStack()
  addIndex(stack, 'Index', {
    architecture: Architecture.X86_64,
    computeType: ComputeType.LARGE,
    timeout: Duration.minutes(5),
  })
  const { Environment, TimeoutInMinutes } = only(stack, 'AWS::CodeBuild::Project').Properties
  assert.equal(Environment.Type, 'LINUX_CONTAINER')
  assert.equal(Environment.Image, 'aws/codebuild/amazonlinux-x86_64-standard:5.0')
  assert.equal(Environment.ComputeType, 'BUILD_GENERAL1_LARGE')
  assert.equal(TimeoutInMinutes, 5)
})

test('computeType alone means CodeBuild, as with deploy-time-build', () => {
  const stack = newStack()
  const repository = Repository.fromRepositoryName(stack, 'Repository', 'app')
  new SociIndexV2Build(stack, 'Index', { repository, inputImageTag: 'app', computeType: ComputeType.MEDIUM })
  assert.equal(only(stack, 'AWS::CodeBuild::Project').Properties.Environment.ComputeType, 'BUILD_GENERAL1_MEDIUM')
})

test('function and project have one name, and are answered for on every end', () => {
  const stack = newStack()
  addIndex(stack, 'Index')
  const handler = idOfIndexer(stack)
  assert.deepEqual(only(stack, 'AWS::CodeBuild::Project').Properties.Name, { Ref: handler })
  const { EventPattern, Targets, State } = only(stack, 'AWS::Events::Rule').Properties
  assert.deepEqual(EventPattern, {
    source: ['aws.codebuild'],
    'detail-type': ['CodeBuild Build State Change'],
    detail: {
      'project-name': [{ Ref: handler }],
      'build-status': ['SUCCEEDED', 'FAILED', 'FAULT', 'STOPPED', 'TIMED_OUT'],
    },
  })
  assert.equal(State, 'ENABLED')
  assert.deepEqual(Targets[0].Arn, { 'Fn::GetAtt': [handler, 'Arn'] })
  const permission = only(stack, 'AWS::Lambda::Permission').Properties
  assert.equal(permission.Principal, 'events.amazonaws.com')
  assert.deepEqual(permission.SourceArn, { 'Fn::GetAtt': [idOf(stack, 'AWS::Events::Rule'), 'Arn'] })
})

test('an event waits for what queue and build leave of CloudFormation’s hour', () => {
  for (const minutes of [5, 43]) {
    const stack = newStack()
    addIndex(stack, 'Index', { timeout: Duration.minutes(minutes) })
    assert.equal(indexesOf(stack)[0]!.Properties.ServiceTimeout, 3600)
    const { MaximumEventAgeInSeconds } = only(stack, 'AWS::Lambda::EventInvokeConfig').Properties
    assert.equal(MaximumEventAgeInSeconds, (60 - minutes - 10 - 2) * 60)
    assert.equal(only(stack, 'AWS::CodeBuild::Project').Properties.QueuedTimeoutInMinutes, 10)
  }
})

test('the index waits for project, rule, permission and policy', () => {
  const stack = newStack()
  addIndex(stack, 'Index')
  const { DependsOn = [] } = indexesOf(stack)[0]!
  for (const type of [
    'AWS::CodeBuild::Project',
    'AWS::Events::Rule',
    'AWS::Lambda::Permission',
    'AWS::Lambda::EventInvokeConfig',
    'AWS::IAM::Policy',
  ])
    assert.ok(DependsOn.includes(idOf(stack, type)), type)
  assert.equal(
    Object.keys(templateOf(stack)).length,
    10,
    'two functions, role, policy, log, config, project, rule, permission, index',
  )
})

test('one role for function and builds, which may do what it names', () => {
  const stack = newStack()
  addIndex(stack, 'Index')
  const { Statement } = only(stack, 'AWS::IAM::Role').Properties.AssumeRolePolicyDocument
  for (const service of ['codebuild', 'lambda'])
    assert.ok(JSON.stringify(Statement).includes(`"${service}.amazonaws.com"`), service)
  const everywhere = statementsOf(stack).filter(({ Resource }) => Resource === '*')
  assert.deepEqual(
    everywhere.map(({ Action }) => Action),
    ['ecr:GetAuthorizationToken'],
  )
  const own = newStack()
  const role = new Role(own, 'Mine', {
    assumedBy: new CompositePrincipal(
      new ServicePrincipal('lambda.amazonaws.com'),
      new ServicePrincipal('codebuild.amazonaws.com'),
    ),
  })
  addIndex(own, 'Index', { role })
  assert.deepEqual(only(own, 'AWS::CodeBuild::Project').Properties.ServiceRole, own.resolve(role.roleArn))
  assert.deepEqual(indexerOf(own).Properties.Role, own.resolve(role.roleArn))
})

test('in a VPC the builds are where the function is', () => {
  const stack = newStack()
  const vpc = new Vpc(stack, 'Vpc')
  const group = new SecurityGroup(stack, 'Group', { vpc })
  addIndex(stack, 'Index', { vpc, securityGroups: [group] })
  const subnets = vpc.privateSubnets.map(({ subnetId }) => stack.resolve(subnetId))
  const project = only(stack, 'AWS::CodeBuild::Project').Properties
  assert.deepEqual(project.VpcConfig, {
    VpcId: stack.resolve(vpc.vpcId),
    Subnets: subnets,
    SecurityGroupIds: [stack.resolve(group.securityGroupId)],
  })
  const handler = ofType(stack, 'AWS::Lambda::Function').find(([id]) => id.startsWith('SociIndex'))![1]
  assert.deepEqual(handler.Properties.VpcConfig.SubnetIds, subnets)
  const permission = statementsOf(stack).find(({ Action }) => Action === 'ec2:CreateNetworkInterfacePermission')!
  assert.match(JSON.stringify(permission.Condition), /codebuild\.amazonaws\.com/)
  assert.match(JSON.stringify(permission.Condition), /:subnet\//)
})

test('options out of their bounds are refused', () => {
  for (const minutes of [4, 44]) {
    const timeout = Duration.minutes(minutes)
    assert.throws(() => SociCompute.codeBuild({ timeout }), new RegExp(`timeout is ${minutes} minutes.*from 5 to 43`))
  }
  assert.throws(
    () => SociCompute.codeBuild({ timeout: Duration.seconds(330) }),
    /timeout is 5.5 minutes.*whole minutes/,
  )
  assert.throws(
    () => SociCompute.codeBuild({ architecture: Architecture.custom('riscv64') }),
    /architecture is riscv64/,
  )
  const computeType = 'BUILD_LAMBDA_1GB' as ComputeType
  assert.throws(() => SociCompute.codeBuild({ computeType }), /computeType is BUILD_LAMBDA_1GB.*15 minutes/)
  assert.throws(() => SociCompute.codeBuild({ vpcSubnets: {} }), /vpcSubnets is given without a vpc/)
})
