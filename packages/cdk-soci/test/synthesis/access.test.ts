import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { App, CfnOutput, RemovalPolicy, Stack } from 'aws-cdk-lib'
import { Repository } from 'aws-cdk-lib/aws-ecr'
import { SociIndexBuild, SociIndexV2Build } from 'cdk-soci'
import { actionsOf, indexesOf, newStack, notesOf, ofType, only, type Statement, statementsOf } from './support.js'

/** What the handlers were seen to need, by their own tests. */
const NEEDED = JSON.parse(
  readFileSync(new URL('../../../handlers/iam-actions.json', import.meta.url), 'utf8'),
) as Record<'anywhere' | 'read' | 'write' | 'remove', string[]>
const TO_WRITE = [...NEEDED.read, ...NEEDED.write].sort()
const TO_REMOVE = [...TO_WRITE, ...NEEDED.remove].sort()

const ACCOUNT = '111111111111'
const OTHER_ACCOUNT = '222222222222'
const OTHER_ARN = `arn:aws:ecr:eu-west-1:${OTHER_ACCOUNT}:repository/team/app`

const ofEcr = (statements: readonly Statement[]) =>
  statements.filter(({ Action }) => [Action].flat().some((action) => action.startsWith('ecr:')))

test('exactly the actions that the handler needs are allowed, on the repository', () => {
  const stack = newStack()
  const repository = new Repository(stack, 'Repository')
  new SociIndexV2Build(stack, 'Index', { repository, inputImageTag: 'app' })
  const [anywhere, images, ...others] = ofEcr(statementsOf(stack))
  assert.deepEqual(others, [])
  assert.deepEqual([anywhere?.Action, anywhere?.Resource], [NEEDED.anywhere[0], '*'])
  assert.deepEqual([images?.Action, images?.Resource], [TO_WRITE, stack.resolve(repository.repositoryArn)])
})

test('v1 writes to the repository of the image', () => {
  const stack = newStack()
  const repository = new Repository(stack, 'Repository')
  new SociIndexBuild(stack, 'Index', { repository, imageTag: 'app' })
  assert.deepEqual(actionsOf(ofEcr(statementsOf(stack))), [...NEEDED.anywhere, ...TO_WRITE].sort())
})

test('the input is only read where the output is in another repository', () => {
  const stack = newStack()
  const repository = new Repository(stack, 'Repository')
  const outputRepository = new Repository(stack, 'Output')
  new SociIndexV2Build(stack, 'Index', { repository, outputRepository, inputImageTag: 'app' })
  const actions = (arn: string) =>
    actionsOf(statementsOf(stack).filter((one) => JSON.stringify(one.Resource) === JSON.stringify(stack.resolve(arn))))
  assert.deepEqual(actions(repository.repositoryArn), NEEDED.read)
  assert.deepEqual(actions(outputRepository.repositoryArn), TO_WRITE)
})

test('nothing but what is needed besides: the log, and to invoke what answers if it is killed', () => {
  const stack = newStack()
  new SociIndexV2Build(stack, 'Index', { repository: new Repository(stack, 'Repository'), inputImageTag: 'app' })
  const others = statementsOf(stack).filter((one) => !ofEcr([one]).length)
  const [[log]] = ofType(stack, 'AWS::Logs::LogGroup') as [[string, unknown]]
  const [answerer] = ofType(stack, 'AWS::Lambda::Function').find(([id]) => id.includes('Answerer'))!
  assert.deepEqual(
    others.map(({ Action, Resource }) => [Action, Resource]),
    [
      [['logs:CreateLogStream', 'logs:PutLogEvents'], { 'Fn::GetAtt': [log, 'Arn'] }],
      ['lambda:InvokeFunction', { 'Fn::GetAtt': [answerer, 'Arn'] }],
    ],
  )
})

test('removing is allowed by a policy of the index, which outlives it in an update', () => {
  const stack = newStack()
  const repository = new Repository(stack, 'Repository')
  const removalPolicy = RemovalPolicy.DESTROY
  new SociIndexV2Build(stack, 'Kept', { repository, inputImageTag: 'kept' })
  new SociIndexV2Build(stack, 'Gone', { repository, inputImageTag: 'gone', removalPolicy })
  const policies = ofType(stack, 'AWS::IAM::Policy')
  const removing = policies.filter(([, { Properties }]) =>
    actionsOf(Properties.PolicyDocument.Statement).includes('ecr:BatchDeleteImage'),
  )
  assert.equal(policies.length, 2)
  assert.equal(removing.length, 1)
  const [id, policy] = removing[0]!
  assert.deepEqual(actionsOf(policy.Properties.PolicyDocument.Statement), TO_REMOVE) // the login is the function's
  assert.match(id, /^GoneRemoval/)
  const [kept, gone] = indexesOf(stack)
  assert.ok(!kept?.DependsOn?.includes(id))
  assert.ok(gone?.DependsOn?.includes(id))
})

test('another output repository is another removal policy', () => {
  const idWith = (name: string): string => {
    const stack = newStack()
    const repository = Repository.fromRepositoryName(stack, 'Repository', name)
    new SociIndexV2Build(stack, 'Index', { repository, inputImageTag: 'app', removalPolicy: RemovalPolicy.DESTROY })
    return ofType(stack, 'AWS::IAM::Policy').find(([id]) => id.includes('Removal'))![0]
  }
  assert.equal(idWith('app'), idWith('app'))
  assert.notEqual(idWith('app'), idWith('other'))
})

test('the policy for a repository of another account is printed', () => {
  const stack = newStack({ account: ACCOUNT, region: 'eu-west-1' })
  const repository = Repository.fromRepositoryArn(stack, 'Repository', OTHER_ARN)
  const index = new SociIndexV2Build(stack, 'Index', { repository, inputImageTag: 'app' })
  const [note, ...others] = notesOf(index)
  assert.deepEqual(others, [])
  assert.match(note!, /^the repository team\/app is account 222222222222's, which must give it this policy:\n/)
  const policy = JSON.parse(note!.slice(note!.indexOf('{'), note!.lastIndexOf('}') + 1))
  const [statement] = policy.Statement
  assert.deepEqual(statement.Action, TO_WRITE)
  assert.deepEqual(statement.Principal, { AWS: ACCOUNT })
  assert.doesNotMatch(note!, /Fn::/)
  assert.deepEqual(indexesOf(stack)[0]?.Properties.Repository, stack.resolve(repository.repositoryUri))
  assert.ok(ofEcr(statementsOf(stack)).some(({ Resource }) => Resource === OTHER_ARN))
})

test('the policy for a repository of another account is printed once for each stack', () => {
  const app = new App()
  for (const id of ['One', 'Two']) {
    const stack = new Stack(app, id, { env: { account: ACCOUNT, region: 'eu-west-1' } })
    const repository = Repository.fromRepositoryArn(stack, 'Repository', OTHER_ARN)
    for (const inputImageTag of ['a', 'b', 'c'])
      new SociIndexV2Build(stack, `Index${inputImageTag}`, { repository, inputImageTag })
    assert.equal(notesOf(stack).length, 1)
  }
})

test('where the account is not known yet, the policy is printed for the case that it differs', () => {
  const stack = newStack()
  const repository = Repository.fromRepositoryArn(stack, 'Repository', OTHER_ARN)
  const index = new SociIndexV2Build(stack, 'Index', { repository, inputImageTag: 'app' })
  assert.match(notesOf(index)[0]!, /^If this stack is deployed to another account than 222222222222: the repository/)
  assert.match(notesOf(index)[0]!, /"AWS": "ACCOUNT_ID"/)
  assert.doesNotMatch(notesOf(index)[0]!, /Fn::|\$\{Token/)
})

test('nothing is printed for a repository of the same account, imported or not', () => {
  const stack = newStack({ account: ACCOUNT, region: 'eu-west-1' })
  const own = `arn:aws:ecr:us-east-1:${ACCOUNT}:repository/app`
  for (const repository of [
    new Repository(stack, 'Own'),
    Repository.fromRepositoryName(stack, 'Named', 'app'),
    Repository.fromRepositoryArn(stack, 'OtherRegion', own),
  ])
    new SociIndexV2Build(stack, `Index${repository.node.id}`, { repository, inputImageTag: 'app' })
  assert.deepEqual(notesOf(stack), [])
})

test('a repository of another region is named with it', () => {
  const stack = newStack({ account: ACCOUNT, region: 'eu-west-1' })
  const arn = `arn:aws:ecr:us-east-1:${ACCOUNT}:repository/app`
  const repository = Repository.fromRepositoryArn(stack, 'Repository', arn)
  new SociIndexV2Build(stack, 'Index', { repository, inputImageTag: 'app' })
  const uri = JSON.stringify(indexesOf(stack)[0]?.Properties.Repository)
  assert.match(uri, /"111111111111\.dkr\.ecr\.us-east-1\."/)
})

test('a repository of the app in another account gets the policy, and nothing is printed', () => {
  const app = new App()
  const owner = new Stack(app, 'Owner', { env: { account: OTHER_ACCOUNT, region: 'eu-west-1' } })
  const repository = new Repository(owner, 'Repository', { repositoryName: 'team/app' })
  const stack = new Stack(app, 'Stack', { env: { account: ACCOUNT, region: 'eu-west-1' } })
  const index = new SociIndexV2Build(stack, 'Index', { repository, inputImageTag: 'app' })
  new CfnOutput(stack, 'Digest', { value: index.imageDigest })
  assert.deepEqual(notesOf(app), [])
  const [statement] = only(owner, 'AWS::ECR::Repository').Properties.RepositoryPolicyText.Statement
  assert.deepEqual(statement.Action, TO_WRITE)
  assert.match(JSON.stringify(statement.Principal), /iam::111111111111:root/)
})

test('a repository of another stack in the account is referred to', () => {
  const app = new App()
  const owner = new Stack(app, 'Owner')
  const repository = new Repository(owner, 'Repository')
  const stack = new Stack(app, 'Stack')
  new SociIndexV2Build(stack, 'Index', { repository, inputImageTag: 'app', removalPolicy: RemovalPolicy.DESTROY })
  app.synth()
  assert.match(JSON.stringify(indexesOf(stack)[0]?.Properties.Repository), /Fn::ImportValue/)
})

test('no partition, domain, region or account is written out', () => {
  const stack = newStack()
  new SociIndexV2Build(stack, 'Index', {
    repository: Repository.fromRepositoryName(stack, 'Repository', 'app'),
    inputImageTag: 'app',
    removalPolicy: RemovalPolicy.DESTROY,
  })
  const template = JSON.stringify(indexesOf(stack)) + JSON.stringify(statementsOf(stack))
  assert.match(template, /AWS::URLSuffix/)
  assert.match(template, /AWS::Partition/)
  assert.doesNotMatch(template, /amazonaws|arn:aws|\b\d{12}\b/)
})

test('in China a repository is found under its own domain', () => {
  const arn = 'arn:aws-cn:ecr:cn-north-1:222222222222:repository/app'
  const stack = newStack({ account: OTHER_ACCOUNT, region: 'cn-north-1' })
  const repository = Repository.fromRepositoryArn(stack, 'Repository', arn)
  new SociIndexV2Build(stack, 'Index', { repository, inputImageTag: 'app' })
  assert.ok(ofEcr(statementsOf(stack)).some(({ Resource }) => Resource === arn))
  assert.match(JSON.stringify(indexesOf(stack)[0]?.Properties.Repository), /AWS::URLSuffix|amazonaws\.com\.cn/)
})
