import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Duration, type Stack } from 'aws-cdk-lib'
import { Repository } from 'aws-cdk-lib/aws-ecr'
import { Key } from 'aws-cdk-lib/aws-kms'
import { Architecture, Runtime, RuntimeFamily } from 'aws-cdk-lib/aws-lambda'
import { LogGroup } from 'aws-cdk-lib/aws-logs'
import { SociCompute, SociIndexV2Build, type StepFunctionsComputeOptions } from 'cdk-soci'
import { idOf, idOfIndexer, indexerOf, indexesOf, newStack, ofType, only, statementsOf, templateOf } from './support.js'

function addIndex(stack: Stack, id: string, options: StepFunctionsComputeOptions = {}): SociIndexV2Build {
  const repository = Repository.fromRepositoryName(stack, `${id}Repository`, 'app')
  const compute = SociCompute.stepFunctions(options)
  return new SociIndexV2Build(stack, id, { repository, inputImageTag: 'app', compute })
}

/** The definition, with the function's ARN as `FUNCTION`. */
function definitionOf(stack: Stack) {
  const [, pieces] = only(stack, 'AWS::StepFunctions::StateMachine').Properties.DefinitionString['Fn::Join']
  const arn = { 'Fn::GetAtt': [idOfIndexer(stack), 'Arn'] }
  const text = pieces.map((piece: unknown) => {
    if (typeof piece === 'string') return piece
    assert.deepEqual(piece, arn)
    return 'FUNCTION'
  })
  return JSON.parse(text.join(''))
}

test('each step is the function, a distributed map has the layers', () => {
  const stack = newStack()
  addIndex(stack, 'Index')
  const { States, TimeoutSeconds } = definitionOf(stack)
  assert.equal(TimeoutSeconds, 3000)
  const { Layers, Plan, Assemble } = States
  assert.deepEqual(Layers.ItemProcessor.ProcessorConfig, { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' })
  assert.equal(Layers.MaxConcurrency, 40)
  for (const task of [Plan, Assemble, Layers.ItemProcessor.States.Index]) assert.equal(task.Resource, 'FUNCTION')
  const handler = indexerOf(stack).Properties
  assert.equal(handler.Handler, 'index.stepFunctionsHandler')
  assert.equal(handler.Timeout, 900)
  assert.equal(handler.MemorySize, 3538)
})

test('options reach the function and the state machine', () => {
  const stack = newStack()
  const runtime = new Runtime('nodejs22.x', RuntimeFamily.NODEJS)
  const timeout = Duration.minutes(20)
  addIndex(stack, 'Index', { memorySize: 1769, architecture: Architecture.X86_64, runtime, timeout, maxConcurrency: 7 })
  const { MemorySize, Architectures, Runtime: name } = indexerOf(stack).Properties
  assert.deepEqual([MemorySize, Architectures, name], [1769, ['x86_64'], 'nodejs22.x'])
  const { States, TimeoutSeconds } = definitionOf(stack)
  assert.deepEqual([States.Layers.MaxConcurrency, TimeoutSeconds], [7, 1200])
})

test('an event waits for what the execution leaves of CloudFormation’s hour', () => {
  for (const minutes of [1, 53]) {
    const stack = newStack()
    addIndex(stack, 'Index', { timeout: Duration.minutes(minutes) })
    assert.equal(indexesOf(stack)[0]!.Properties.ServiceTimeout, 3600)
    const { MaximumEventAgeInSeconds } = only(stack, 'AWS::Lambda::EventInvokeConfig').Properties
    assert.equal(MaximumEventAgeInSeconds, (60 - minutes - 2) * 60)
  }
})

test('function and state machine have one name, and are answered for on every end', () => {
  const stack = newStack()
  addIndex(stack, 'Index')
  const handler = idOfIndexer(stack)
  assert.deepEqual(only(stack, 'AWS::StepFunctions::StateMachine').Properties.StateMachineName, { Ref: handler })
  const { EventPattern } = only(stack, 'AWS::Events::Rule').Properties
  assert.deepEqual(EventPattern.source, ['aws.states'])
  assert.deepEqual(EventPattern['detail-type'], ['Step Functions Execution Status Change'])
  assert.deepEqual(EventPattern.detail.status, ['SUCCEEDED', 'FAILED', 'ABORTED', 'TIMED_OUT'])
  const [, arn] = EventPattern.detail.stateMachineArn[0]['Fn::Join']
  assert.deepEqual(arn.slice(-2), [':stateMachine:', { Ref: handler }])
})

test('the index waits for state machine, rule, permission and policies, and nothing waits in a circle', () => {
  const stack = newStack()
  addIndex(stack, 'Index')
  const { DependsOn = [] } = indexesOf(stack)[0]!
  const policies = ofType(stack, 'AWS::IAM::Policy').map(([id]) => id)
  assert.equal(policies.length, 2)
  const others = ['AWS::StepFunctions::StateMachine', 'AWS::Events::Rule', 'AWS::Lambda::Permission']
  for (const id of [...policies, ...others.map((type) => idOf(stack, type))]) assert.ok(DependsOn.includes(id), id)
  const machinePolicy = policies.find((id) => id.includes('StateMachine'))
  assert.ok(only(stack, 'AWS::StepFunctions::StateMachine').DependsOn?.includes(machinePolicy!))
  assert.equal(Object.keys(templateOf(stack)).length, 12)
})

test('only what must have no name is allowed everywhere', () => {
  const stack = newStack()
  addIndex(stack, 'Index')
  const everywhere = statementsOf(stack).filter(({ Resource }) => Resource === '*')
  assert.deepEqual(
    everywhere.map(({ Action }) => Action),
    ['ecr:GetAuthorizationToken'],
  )
})

test('options out of their bounds are refused', () => {
  for (const minutes of [0.5, 54]) {
    const timeout = Duration.seconds(minutes * 60)
    assert.throws(
      () => SociCompute.stepFunctions({ timeout }),
      new RegExp(`timeout is ${minutes} minutes.*from 1 to 53`),
    )
  }
  for (const maxConcurrency of [0, 1.5, 1001])
    assert.throws(
      () => SociCompute.stepFunctions({ maxConcurrency }),
      new RegExp(`maxConcurrency is ${maxConcurrency}.*from 1 to 1000`),
    )
  assert.throws(() => SociCompute.stepFunctions({ memorySize: 128 }), /memorySize is 128.*512 to 10240/)
  const runtime = new Runtime('nodejs18.x', RuntimeFamily.NODEJS)
  assert.throws(() => SociCompute.stepFunctions({ runtime }), /runtime is nodejs18.x.*nodejs22.x or newer/)
  const stack = newStack()
  const both = { logGroup: new LogGroup(stack, 'Log'), encryptionKey: new Key(stack, 'Key') }
  assert.throws(() => SociCompute.stepFunctions(both), /encryptionKey is given with a logGroup.*leave one of them/)
})
