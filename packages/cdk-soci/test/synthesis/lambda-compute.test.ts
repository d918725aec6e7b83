import assert from 'node:assert/strict'
import { test } from 'node:test'
import { App, CfnResource, Duration, Stack } from 'aws-cdk-lib'
import { GatewayVpcEndpointAwsService, SecurityGroup, Vpc } from 'aws-cdk-lib/aws-ec2'
import { Repository } from 'aws-cdk-lib/aws-ecr'
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { Key } from 'aws-cdk-lib/aws-kms'
import { Architecture, Runtime, RuntimeFamily, Tracing } from 'aws-cdk-lib/aws-lambda'
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs'
import { Queue } from 'aws-cdk-lib/aws-sqs'
import { type LambdaComputeOptions, SociCompute, SociIndexV2Build, SociVpcEndpoints } from 'cdk-soci'
import {
  actionsOf,
  idOf,
  idOfIndexer,
  indexerOf,
  indexesOf,
  newStack,
  ofType,
  only,
  statementsOf,
  templateOf,
} from './support.js'

function addIndex(stack: Stack, id: string, options?: LambdaComputeOptions): SociIndexV2Build {
  const repository = Repository.fromRepositoryName(stack, `${id}Repository`, 'app')
  const compute = options && { compute: SociCompute.lambdaFunction(options) }
  return new SociIndexV2Build(stack, id, { repository, inputImageTag: 'app', ...compute })
}

test('by default a function of two processors, on arm64, for as long as Lambda can', () => {
  const stack = newStack()
  addIndex(stack, 'Index')
  const { Properties } = indexerOf(stack)
  assert.equal(Properties.MemorySize, 3538)
  assert.equal(Properties.Timeout, 900)
  assert.equal(Properties.Runtime, 'nodejs24.x')
  assert.deepEqual(Properties.Architectures, ['arm64'])
  assert.equal(Properties.Environment, undefined)
  assert.deepEqual(Properties.LoggingConfig, { LogGroup: { Ref: idOf(stack, 'AWS::Logs::LogGroup') } })
})

test('a function that dies is answered for by another, and not run again', () => {
  const stack = newStack()
  addIndex(stack, 'Index')
  const handler = idOfIndexer(stack)
  const [[answerer = ''] = []] = ofType(stack, 'AWS::Lambda::Function').filter(([id]) => id !== handler)
  const { Properties, DependsOn } = only(stack, 'AWS::Lambda::EventInvokeConfig')
  assert.deepEqual(Properties, {
    FunctionName: { Ref: handler },
    Qualifier: '$LATEST',
    MaximumRetryAttempts: 0,
    MaximumEventAgeInSeconds: 3600 - 900 - 120,
    DestinationConfig: { OnFailure: { Destination: { 'Fn::GetAtt': [answerer, 'Arn'] } } },
  })
  const policy = idOf(stack, 'AWS::IAM::Policy')
  assert.deepEqual(DependsOn, [policy])
  for (const id of [handler, answerer]) assert.ok(!templateOf(stack)[id]?.DependsOn?.includes(policy), 'a cycle')
  const answering = templateOf(stack)[answerer]!.Properties
  const { Code, Handler, Role, LoggingConfig } = indexerOf(stack).Properties
  assert.deepEqual(
    [answering.Code, answering.Handler, answering.Role, answering.LoggingConfig],
    [Code, Handler, Role, LoggingConfig],
  )
  assert.deepEqual([answering.MemorySize, answering.Timeout], [256, 180])
  const invocations = statementsOf(stack).filter(({ Action }) => Action === 'lambda:InvokeFunction')
  assert.deepEqual(
    invocations.map(({ Resource }) => Resource),
    [{ 'Fn::GetAtt': [answerer, 'Arn'] }],
  )
})

test('where no function is free, an event waits for what its work leaves of CloudFormation’s hour', () => {
  for (const minutes of [1, 15]) {
    const stack = newStack()
    addIndex(stack, 'Index', { timeout: Duration.minutes(minutes) })
    assert.equal(indexesOf(stack)[0]!.Properties.ServiceTimeout, 3600)
    const { MaximumEventAgeInSeconds } = only(stack, 'AWS::Lambda::EventInvokeConfig').Properties
    assert.equal(MaximumEventAgeInSeconds, (60 - minutes - 2) * 60)
  }
})

test('concurrency, traces and a dead-letter queue, whose permissions the function waits for', () => {
  const stack = newStack()
  const encryptionMasterKey = new Key(stack, 'Key')
  const deadLetterQueue = new Queue(stack, 'DeadLetters', { encryptionMasterKey })
  addIndex(stack, 'Index', { reservedConcurrency: 5, tracing: Tracing.ACTIVE, deadLetterQueue })
  const { Properties, DependsOn = [] } = indexerOf(stack)
  assert.equal(Properties.ReservedConcurrentExecutions, 5)
  assert.deepEqual(Properties.TracingConfig, { Mode: 'Active' })
  assert.deepEqual(Properties.DeadLetterConfig, { TargetArn: stack.resolve(deadLetterQueue.queueArn) })
  const [policy] = ofType(stack, 'AWS::IAM::Policy').filter(([id]) => id.includes('DeliveryPolicy'))
  assert.ok(DependsOn.includes(policy![0]))
  assert.deepEqual(policy![1].Properties.PolicyDocument.Statement, [
    { Action: ['xray:PutTelemetryRecords', 'xray:PutTraceSegments'], Effect: 'Allow', Resource: '*' },
    { Action: 'sqs:SendMessage', Effect: 'Allow', Resource: stack.resolve(deadLetterQueue.queueArn) },
    {
      Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
      Effect: 'Allow',
      Resource: stack.resolve(encryptionMasterKey.keyArn),
    },
  ])
  const [, answerer] = ofType(stack, 'AWS::Lambda::Function').find(([id]) => id.includes('Answerer'))!
  assert.deepEqual(answerer.Properties.TracingConfig, { Mode: 'Active' })
  assert.equal(answerer.Properties.ReservedConcurrentExecutions, 1)
  assert.deepEqual(answerer.Properties.DeadLetterConfig, Properties.DeadLetterConfig)
  for (const reservedConcurrency of [0, 1.5])
    assert.throws(
      () => addIndex(newStack(), 'Index', { reservedConcurrency }),
      /reservedConcurrency is .*: it must be a whole number of at least 1; leave it out/,
    )
})

test('options reach the function', () => {
  const stack = newStack()
  const runtime = new Runtime('nodejs22.x', RuntimeFamily.NODEJS)
  addIndex(stack, 'Index', {
    memorySize: 10240,
    timeout: Duration.minutes(5),
    architecture: Architecture.X86_64,
    runtime,
  })
  const { Properties } = indexerOf(stack)
  assert.equal(Properties.MemorySize, 10240)
  assert.equal(Properties.Timeout, 300)
  assert.equal(Properties.Runtime, 'nodejs22.x')
  assert.deepEqual(Properties.Architectures, ['x86_64'])
})

test('the same options are one function, others another, and the logical id of the index tells them apart', () => {
  const stack = newStack()
  const vpc = new Vpc(stack, 'Vpc')
  const all: LambdaComputeOptions[] = [
    {},
    { memorySize: 2048 },
    { architecture: Architecture.X86_64 },
    { timeout: Duration.minutes(10) },
    { runtime: new Runtime('nodejs22.x', RuntimeFamily.NODEJS) },
    { vpc },
    { vpc, vpcSubnets: { subnets: [vpc.privateSubnets[0]!] } },
    { logRetention: RetentionDays.ONE_DAY },
    { role: new Role(stack, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') }) },
  ]
  for (const [at, options] of all.entries()) {
    addIndex(stack, `A${at}`, options)
    addIndex(stack, `B${at}`, { ...options })
  }
  const functions = ofType(stack, 'AWS::Lambda::Function').filter(([id]) => id.startsWith('SociIndex'))
  assert.equal(functions.length, 2 * all.length) // one that indexes, one that answers for it
  const tokens = new Map<string, Set<string>>()
  for (const [id, { Properties }] of ofType(stack, 'Custom::SociIndex')) {
    const key = /Index([0-9A-F]{8})[0-9A-F]{8}$/.exec(id)?.[1]
    assert.ok(key !== undefined, id)
    tokens.set(key, (tokens.get(key) ?? new Set()).add(JSON.stringify(Properties.ServiceToken)))
  }
  assert.equal(tokens.size, all.length)
  for (const [key, found] of tokens) assert.equal(found.size, 1, key)
})

test('what the CDK adds to its classes does not make another function', () => {
  const idWith = (options: LambdaComputeOptions): string => {
    const stack = newStack()
    addIndex(stack, 'Index', options)
    return idOf(stack, 'Custom::SociIndex')
  }
  const runtime = new Runtime('nodejs22.x', RuntimeFamily.NODEJS)
  const later = Object.assign(new Runtime('nodejs22.x', RuntimeFamily.NODEJS), { isNewHere: true })
  assert.equal(
    idWith({ runtime, architecture: Architecture.X86_64 }),
    idWith({ runtime: later, architecture: Architecture.X86_64 }),
  )
  assert.notEqual(idWith({ runtime }), idWith({ runtime: new Runtime('nodejs24.x', RuntimeFamily.NODEJS) }))
})

test('another function means another custom resource, never another ServiceToken of the same', () => {
  const deployed = (options?: LambdaComputeOptions) => {
    const stack = newStack()
    addIndex(stack, 'Index', options)
    return new Map(
      ofType(stack, 'Custom::SociIndex').map(([id, { Properties }]) => [id, JSON.stringify(Properties.ServiceToken)]),
    )
  }
  const before = deployed()
  for (const options of [
    { memorySize: 512 },
    { architecture: Architecture.X86_64 },
    { timeout: Duration.minutes(3) },
  ]) {
    const after = deployed(options)
    for (const [id, token] of after) assert.ok(!before.has(id) || before.get(id) === token, id)
    assert.notDeepEqual([...after.keys()], [...before.keys()])
  }
})

test('in a VPC the function waits for what Lambda may do there', () => {
  const stack = newStack()
  const vpc = new Vpc(stack, 'Vpc')
  const securityGroup = new SecurityGroup(stack, 'Group', { vpc })
  addIndex(stack, 'Index', { vpc, vpcSubnets: { subnets: [vpc.privateSubnets[0]!] }, securityGroups: [securityGroup] })
  const [id, handler] = ofType(stack, 'AWS::Lambda::Function').find(([name]) => name.startsWith('SociIndex'))!
  assert.deepEqual(handler.Properties.VpcConfig, {
    SecurityGroupIds: [stack.resolve(securityGroup.securityGroupId)],
    SubnetIds: [stack.resolve(vpc.privateSubnets[0]!.subnetId)],
  })
  const network = ofType(stack, 'AWS::IAM::Policy').find(([name]) => name.includes('NetworkPolicy'))!
  assert.ok(handler.DependsOn?.includes(network[0]), id)
  assert.ok(actionsOf(network[1].Properties.PolicyDocument.Statement).every((action) => action.startsWith('ec2:')))
})

test('an index in a VPC waits for the way out of it, which is there until the index is gone', () => {
  const stack = newStack()
  const vpc = new Vpc(stack, 'Vpc')
  addIndex(stack, 'Index', { vpc })
  vpc.addGatewayEndpoint('S3', { service: GatewayVpcEndpointAwsService.S3 }) // later than the index
  new SociVpcEndpoints(stack, 'Endpoints', { vpc, existing: ['s3'] })
  const config = idOf(stack, 'AWS::Lambda::EventInvokeConfig')
  assert.ok(indexesOf(stack)[0]?.DependsOn?.includes(config))
  const resources = templateOf(stack)
  const endpoints = ofType(stack, 'AWS::EC2::VPCEndpoint').map(([id]) => id)
  assert.equal(endpoints.length, 3)
  for (const id of endpoints) assert.ok(resources[config]?.DependsOn?.includes(id), id)
  const handler = resources[idOfIndexer(stack)]
  for (const [id] of ofType(stack, 'AWS::EC2::Route').filter(([name]) => name.includes('Private')))
    assert.ok(handler?.DependsOn?.includes(id), id)
})

test('what is below a VPC otherwise may itself wait for the index', () => {
  const stack = newStack()
  const vpc = new Vpc(stack, 'Vpc')
  const index = addIndex(stack, 'Index', { vpc })
  new CfnResource(vpc, 'Waiting', { type: 'AWS::CloudFormation::WaitConditionHandle' }).node.addDependency(index)
  assert.ok(indexesOf(stack).length === 1) // a cycle is refused
})

test('a security group of its own lets it out', () => {
  const stack = newStack()
  addIndex(stack, 'Index', { vpc: new Vpc(stack, 'Vpc') })
  const { Properties } = only(stack, 'AWS::EC2::SecurityGroup')
  assert.deepEqual(Properties.SecurityGroupEgress[0].CidrIp, '0.0.0.0/0')
})

test("a role of the user's gets the policy", () => {
  const stack = newStack()
  const role = new Role(stack, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') })
  addIndex(stack, 'Index', { role })
  assert.equal(ofType(stack, 'AWS::IAM::Role').length, 1)
  assert.deepEqual(only(stack, 'AWS::IAM::Policy').Properties.Roles, [{ Ref: idOf(stack, 'AWS::IAM::Role') }])
})

test('a role of another stack gets the policy', () => {
  const app = new App()
  const other = new Stack(app, 'Other')
  const role = new Role(other, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') })
  const stack = new Stack(app, 'Stack')
  addIndex(stack, 'Index', { role })
  app.synth()
  assert.match(JSON.stringify(only(stack, 'AWS::IAM::Policy').Properties.Roles), /Fn::ImportValue/)
})

test('a role that may not be updated is not', () => {
  const stack = newStack({ account: '111111111111', region: 'eu-west-1' })
  const arn = 'arn:aws:iam::111111111111:role/indexer'
  addIndex(stack, 'Index', {
    role: Role.fromRoleArn(stack, 'Role', arn, { mutable: false }),
    vpc: new Vpc(stack, 'Vpc'),
  })
  assert.deepEqual(statementsOf(stack), [])
  const resources = templateOf(stack)
  for (const [id, { DependsOn }] of Object.entries(resources))
    for (const needed of [DependsOn ?? []].flat()) assert.ok(needed in resources, `${id} waits for ${needed}`)
  const [, handler] = ofType(stack, 'AWS::Lambda::Function').find(([id]) => id.startsWith('SociIndex'))!
  assert.equal(handler.Properties.Role, arn)
})

test('the log stays, for as long as it is told, in the group that it is told', () => {
  const stack = newStack()
  addIndex(stack, 'Index')
  const group = only(stack, 'AWS::Logs::LogGroup')
  assert.equal(group.DeletionPolicy, 'Retain')
  assert.equal(group.Properties.RetentionInDays, 30)
  const short = newStack()
  addIndex(short, 'Index', { logRetention: RetentionDays.ONE_DAY })
  assert.equal(only(short, 'AWS::Logs::LogGroup').Properties.RetentionInDays, 1)
  const own = newStack()
  const logGroup = new LogGroup(own, 'Group')
  addIndex(own, 'Index', { logGroup })
  const logicalId = idOf(own, 'AWS::Logs::LogGroup')
  assert.deepEqual(indexerOf(own).Properties.LoggingConfig, { LogGroup: { Ref: logicalId } })
})

test('a key encrypts the log, for the logs of this account only', () => {
  const stack = newStack()
  const encryptionKey = new Key(stack, 'Key')
  addIndex(stack, 'Index', { encryptionKey })
  const key = idOf(stack, 'AWS::KMS::Key')
  assert.deepEqual(only(stack, 'AWS::Logs::LogGroup').Properties.KmsKeyId, { 'Fn::GetAtt': [key, 'Arn'] })
  const statements = only(stack, 'AWS::KMS::Key').Properties.KeyPolicy.Statement
  const logs = statements.find((one: { Principal: unknown }) => JSON.stringify(one.Principal).includes('logs.'))
  assert.match(JSON.stringify(logs.Condition), /kms:EncryptionContext:aws:logs:arn.*:log-group:\*/)
})
