// `SociIndexOnPush`: what it makes of its props, and which it refuses.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { App, CfnParameter, Duration, Size, Stack } from 'aws-cdk-lib'
import { Repository } from 'aws-cdk-lib/aws-ecr'
import { EventBus, Schedule } from 'aws-cdk-lib/aws-events'
import { ManagedPolicy, PermissionsBoundary, Role } from 'aws-cdk-lib/aws-iam'
import { Topic } from 'aws-cdk-lib/aws-sns'
import { SociDashboard, SociIndexOnPush, type SociIndexOnPushProps, SociIndexVersion } from 'cdk-soci'
import { newStack, ofType, only, type Statement, statementsOf } from './support.js'
import { asText } from './templates.js'

function stackWith(props?: SociIndexOnPushProps): Stack {
  const stack = newStack()
  new SociIndexOnPush(stack, 'OnPush', props)
  return stack
}

/** The rule of the pushes. */
function ruleOf(stack: Stack) {
  const rules = ofType(stack, 'AWS::Events::Rule').filter(([id]) => id.includes('Pushed'))
  assert.equal(rules.length, 1)
  return rules[0]![1].Properties
}

const environmentOf = (stack: Stack): Record<string, string> =>
  only(stack, 'AWS::Lambda::Function').Properties.Environment.Variables

const PUSH = { source: ['aws.ecr'], 'detail-type': ['ECR Image Action'] }
const NOT_OURS = { 'anything-but': { wildcard: '*-soci' } }

test('the rule takes all pushes but of our own tags', () => {
  assert.deepEqual(ruleOf(stackWith()).EventPattern, {
    ...PUSH,
    detail: { 'action-type': ['PUSH'], result: ['SUCCESS'], 'image-tag': [NOT_OURS] },
  })
  assert.deepEqual(ruleOf(stackWith({ outputTag: 'lazy.{tag}' })).EventPattern.detail['image-tag'], [
    { 'anything-but': { wildcard: 'lazy.*' } },
  ])
})

test('the rule of V1 takes pushes without a tag, too', () => {
  const detail = { 'action-type': ['PUSH'], result: ['SUCCESS'] }
  assert.deepEqual(ruleOf(stackWith({ indexVersion: SociIndexVersion.V1 })).EventPattern, { ...PUSH, detail })
})

test('the rule takes replicated images only if it is told so', () => {
  const { EventPattern } = ruleOf(stackWith({ replicatedImages: true }))
  assert.deepEqual(EventPattern['detail-type'], ['ECR Image Action', 'ECR Replication Action'])
  assert.deepEqual(EventPattern.detail['action-type'], ['PUSH', 'REPLICATE'])
})

test('filters become conditions of the rule', () => {
  const conditionsOf = (filters: string[], more: SociIndexOnPushProps = {}) => {
    const { 'action-type': _, result: __, ...conditions } = ruleOf(stackWith({ filters, ...more })).EventPattern.detail
    return conditions
  }
  const cases: [string[], object][] = [
    [['app:*'], { 'repository-name': ['app'], 'image-tag': [NOT_OURS] }],
    [['app/*:v*'], { 'repository-name': [{ wildcard: 'app/*' }], 'image-tag': [{ wildcard: 'v*' }] }],
    [['app:a', 'app:b'], { 'repository-name': ['app'], 'image-tag': ['a', 'b'] }],
    [['a:x', 'b:x'], { 'repository-name': ['a', 'b'], 'image-tag': ['x'] }],
    [['a:x', 'b:x', 'a:y', 'b:y'], { 'repository-name': ['a', 'b'], 'image-tag': ['x', 'y'] }],
    [['a?c:**'], { 'repository-name': [{ wildcard: 'a*c' }], 'image-tag': [NOT_OURS] }],
    [['a?c:?*'], { 'repository-name': [{ wildcard: 'a*c' }], 'image-tag': [{ wildcard: '*' }] }],
    [['*:v1', '*:*'], { 'image-tag': [NOT_OURS] }],
    [
      ['a:x', 'b:y'],
      {
        $or: [
          { 'repository-name': ['a'], 'image-tag': ['x'] },
          { 'repository-name': ['b'], 'image-tag': ['y'] },
        ],
      },
    ],
    // Too long, or too many wildcards, for a rule: the function has the last word anyway
    [Array.from({ length: 200 }, (_, i) => `app${i}:t${i}`), { 'image-tag': [NOT_OURS] }],
    [Array.from({ length: 20 }, (_, i) => `app${i}*:*`), { 'image-tag': [NOT_OURS] }],
  ]
  for (const [filters, conditions] of cases) assert.deepEqual(conditionsOf(filters), conditions, filters.join())
  assert.deepEqual(conditionsOf(['app:*'], { indexVersion: SociIndexVersion.V1 }), { 'repository-name': ['app'] })
})

test('repositories are filters, by names that may be known at deployment only', () => {
  const stack = newStack()
  const repository = new Repository(stack, 'Repository')
  new SociIndexOnPush(stack, 'OnPush', { repositories: [repository], filters: ['other:v*'] })
  const [id] = ofType(stack, 'AWS::ECR::Repository')[0]!
  assert.deepEqual(ruleOf(stack).EventPattern.detail.$or, [
    { 'repository-name': ['other'], 'image-tag': [{ wildcard: 'v*' }] },
    { 'repository-name': [{ Ref: id }], 'image-tag': [NOT_OURS] },
  ])
  assert.equal(asText(environmentOf(stack).SOCI_FILTERS), `other:v*,<${id}>:*`)
  assert.deepEqual(new Set(imageArns(stack).map(asText)), new Set([`${REPOSITORY}/other`, `${REPOSITORY}/<${id}>`]))
})

const REPOSITORY = 'arn:<AWS::Partition>:ecr:<AWS::Region>:<AWS::AccountId>:repository'

function imageArns(stack: Stack): unknown[] {
  const statement = statementsOf(stack).find(({ Action }) => Action.includes('ecr:PutImage')) as Statement
  return Array.isArray(statement.Resource) ? statement.Resource : [statement.Resource]
}

test('permissions are of the repositories that the filters match', () => {
  const arns = (...filters: string[]) => imageArns(stackWith({ filters })).map(asText)
  assert.deepEqual(arns('app/*:v1', 'app/*:v2', 'team?:*'), [`${REPOSITORY}/app/*`, `${REPOSITORY}/team?`])
  assert.deepEqual(arns('app:*', '*:latest'), [`${REPOSITORY}/*`])
  const any = statementsOf(stackWith()).filter(({ Resource }) => Resource === '*')
  assert.deepEqual(
    any.map(({ Action }) => Action),
    ['ecr:GetAuthorizationToken'],
  )
})

test('a filter that is a parameter is left to the function', () => {
  const stack = newStack()
  const parameter = new CfnParameter(stack, 'Filters')
  new SociIndexOnPush(stack, 'OnPush', { filters: [parameter.valueAsString] })
  assert.deepEqual(ruleOf(stack).EventPattern.detail['image-tag'], [NOT_OURS])
  assert.deepEqual(environmentOf(stack).SOCI_FILTERS, { Ref: 'Filters' })
})

test('a queue with retries is between the rule and the function', () => {
  const stack = stackWith({ maxConcurrency: 7 })
  const queues = ofType(stack, 'AWS::SQS::Queue')
  const [letters, pushes] = [
    queues.find(([id]) => id.includes('DeadLetters')),
    queues.find(([id]) => id.includes('Pushes')),
  ]
  assert.deepEqual(letters![1].Properties, { MessageRetentionPeriod: 14 * 86_400, SqsManagedSseEnabled: true })
  assert.deepEqual(pushes![1].Properties, {
    RedrivePolicy: { deadLetterTargetArn: { 'Fn::GetAtt': [letters![0], 'Arn'] }, maxReceiveCount: 5 },
    SqsManagedSseEnabled: true,
    VisibilityTimeout: 6 * 15 * 60,
  })
  const { FunctionName, ...mapping } = only(stack, 'AWS::Lambda::EventSourceMapping').Properties
  assert.deepEqual(mapping, {
    BatchSize: 1,
    EventSourceArn: { 'Fn::GetAtt': [pushes![0], 'Arn'] },
    FunctionResponseTypes: ['ReportBatchItemFailures'],
    ScalingConfig: { MaximumConcurrency: 7 },
  })
  const denied = ofType(stack, 'AWS::SQS::QueuePolicy').flatMap(([, { Properties }]) =>
    Properties.PolicyDocument.Statement.filter(({ Effect }: { Effect: string }) => Effect === 'Deny'),
  )
  assert.deepEqual(
    denied.map(({ Condition }) => Condition),
    [1, 2].map(() => ({ Bool: { 'aws:SecureTransport': 'false' } })),
  )
})

test('the function is told all that was chosen', () => {
  const stack = stackWith({ spanSize: 1 << 20, platforms: ['linux/arm64'], requireIndex: true })
  const { SOCI_QUEUE_URL, SOCI_DEAD_LETTER_QUEUE_URL, SOCI_STATE_MACHINE, SOCI_EVENT_BUS, ...plain } =
    environmentOf(stack)
  assert.deepEqual(plain, {
    SOCI_FILTERS: '*:*',
    SOCI_INDEX_VERSION: 'V2',
    SOCI_OUTPUT_TAG: '{tag}-soci',
    SOCI_OPTIONS: '{"SpanSize":"1048576","Platforms":["linux/arm64"],"RequireIndex":"true"}',
    SOCI_METRICS_NAMESPACE: 'Sociable',
    SOCI_STATE_MACHINE_ABOVE: String(20 * 1024 ** 3),
    SOCI_RECONCILE_DAYS: '3',
    SOCI_MAX_RECEIVE_COUNT: '5',
  })
  assert.match(asText(SOCI_EVENT_BUS), /:event-bus\/default$/)
  for (const url of [SOCI_QUEUE_URL, SOCI_DEAD_LETTER_QUEUE_URL]) assert.match(asText(url), /^<OnPushQueue/)
  // Neither can wait for the other: they agree on a name of the stack's own
  const { StateMachineName } = only(stack, 'AWS::StepFunctions::StateMachine').Properties
  const text = JSON.stringify(SOCI_STATE_MACHINE)
  for (const part of StateMachineName['Fn::Join'][1])
    assert.ok(text.includes(JSON.stringify(part).replace(/^"|"$/g, '')))
})

test('what is not wanted is not there', () => {
  const stack = stackWith({ largeImages: false, reconcile: false })
  assert.equal(ofType(stack, 'AWS::StepFunctions::StateMachine').length, 0)
  assert.equal(ofType(stack, 'AWS::Events::Rule').length, 1)
  const actions = statementsOf(stack).flatMap(({ Action }) => Action)
  assert.ok(!actions.includes('ecr:DescribeImages') && !actions.some((action) => action.startsWith('states:')))
  assert.equal(environmentOf(stack).SOCI_STATE_MACHINE, undefined)
  const v1 = stackWith({ indexVersion: SociIndexVersion.V1 })
  assert.equal(ofType(v1, 'AWS::StepFunctions::StateMachine').length, 0)
})

test('a schedule, a bus, a topic and concurrency of the user', () => {
  const stack = newStack()
  const bus = new EventBus(stack, 'Bus')
  const alarmTopic = new Topic(stack, 'Topic')
  new SociIndexOnPush(stack, 'OnPush', {
    eventBus: bus,
    alarmTopic,
    reservedConcurrency: 4,
    reconcileSchedule: Schedule.expression('rate(12 hours)'),
    reconcileDays: 7,
  })
  const schedules = ofType(stack, 'AWS::Events::Rule').flatMap(([, { Properties }]) =>
    Properties.ScheduleExpression ? [[Properties.ScheduleExpression, Properties.Targets[0].Input]] : [],
  )
  assert.deepEqual(schedules, [['rate(12 hours)', '{"reconcile":true}']])
  assert.equal(only(stack, 'AWS::Lambda::Function').Properties.ReservedConcurrentExecutions, 4)
  assert.equal(
    only(stack, 'AWS::Lambda::EventSourceMapping').Properties.ScalingConfig.MaximumConcurrency,
    4,
    'images that no function is left for would use up their tries',
  )
  const alarm = only(stack, 'AWS::CloudWatch::Alarm').Properties
  assert.equal(alarm.AlarmActions.length, 1)
  assert.deepEqual(alarm.AlarmActions, alarm.OKActions)
  const put = statementsOf(stack).find(({ Action }) => Action === 'events:PutEvents')
  assert.match(asText(put?.Resource), /^<Bus.*\.Arn>$/)
})

test('several in one stack do not disturb each other, and share no name', () => {
  const stack = newStack()
  for (const id of ['One', 'Two']) new SociIndexOnPush(stack, id, { filters: [`${id.toLowerCase()}:*`] })
  const names = ofType(stack, 'AWS::StepFunctions::StateMachine').map(([, { Properties }]) =>
    JSON.stringify(Properties.StateMachineName),
  )
  assert.equal(new Set(names).size, 2)
})

test('all roles take a permissions boundary in the way of the CDK', () => {
  const stack = stackWith()
  PermissionsBoundary.of(stack).apply(ManagedPolicy.fromManagedPolicyName(stack, 'Boundary', 'boundary'))
  const roles = ofType(stack, 'AWS::IAM::Role')
  assert.equal(roles.length, 2)
  for (const [id, { Properties }] of roles)
    assert.match(asText(Properties.PermissionsBoundary), /:policy\/boundary$/, id)
})

test('a role of the user is used, and nothing is given to one that may not be changed', () => {
  const stack = newStack()
  const role = Role.fromRoleArn(stack, 'Role', 'arn:aws:iam::123456789012:role/indexer', { mutable: false })
  new SociIndexOnPush(stack, 'OnPush', { role, largeImages: false })
  assert.equal(ofType(stack, 'AWS::IAM::Role').length, 0)
  assert.equal(only(stack, 'AWS::Lambda::Function').Properties.Role, 'arn:aws:iam::123456789012:role/indexer')
})

test('a dashboard shows all metrics', () => {
  const stack = newStack()
  const indexOnPush = new SociIndexOnPush(stack, 'OnPush', { metricsNamespace: 'Images' })
  new SociDashboard(stack, 'Dashboard', { indexOnPush })
  const body = asText(only(stack, 'AWS::CloudWatch::Dashboard').Properties.DashboardBody)
  for (const name of ['Images', 'Bytes', 'Seconds', 'Failures', 'Retries', 'AgeOfOldestMessage'])
    assert.ok(body.includes(`"Images","${name}","FunctionName"`), name)
  for (const name of ['ApproximateAgeOfOldestMessage', 'ApproximateNumberOfMessagesVisible'])
    assert.ok(body.includes(name), name)
})

test('props that cannot work are refused, with what to do', () => {
  const other = Repository.fromRepositoryArn(
    new Stack(new App(), 'Other'),
    'Elsewhere',
    'arn:aws:ecr:us-east-1:123456789012:repository/app',
  )
  const v1 = SociIndexVersion.V1
  const cases: [SociIndexOnPushProps, RegExp][] = [
    [{ filters: [] }, /filters is empty: leave it out for \*:\*/],
    [{ filters: ['app'] }, /filters has "app", without a tag: write REPOSITORY:TAG/],
    [{ filters: ['App:*'] }, /"App:\*": names of repositories have no capital letters/],
    [{ filters: ['a:*,b:*'] }, /"a:\*,b:\*": give each pattern as an element of its own/],
    [{ filters: ['app:[a-z]'] }, /its wildcards are \* and \?/],
    [{ filters: ['host.example:5000/app:v1'] }, /without the registry's host/],
    [{ filters: [`${'a'.repeat(3_100)}:*`] }, /3102 characters in all, and at most 3000/],
    [{ repositories: [] }, /repositories is empty/],
    [{ outputTag: 'soci' }, /outputTag is "soci": it must have \{tag\} once/],
    [{ outputTag: '{tag}' }, /the image that was pushed would be replaced/],
    [{ outputTag: '{tag}:x' }, /letters, digits, _, \. and - only/],
    [{ indexVersion: v1, outputTag: '{tag}-x' }, /an index of V1 makes no tag/],
    [{ indexVersion: v1, largeImages: true }, /made by one function/],
    [{ largeImages: false, largeImageSize: Size.gibibytes(1) }, /largeImageSize is given without largeImages/],
    [{ reconcile: false, reconcileDays: 1 }, /leave out reconcileSchedule and reconcileDays/],
    [{ reconcileDays: 0 }, /reconcileDays is 0: it must be a whole number from 1 to 365/],
    [{ maxConcurrency: 1 }, /maxConcurrency is 1: it must be a whole number from 2 to 1000/],
    [{ reservedConcurrency: 1 }, /reservedConcurrency is 1: it must be a whole number of at least 2/],
    [{ reservedConcurrency: 5, maxConcurrency: 6 }, /maxConcurrency is 6, more than the 5 of reservedConcurrency/],
    [{ memorySize: 128 }, /memorySize is 128/],
    [{ timeout: Duration.minutes(20) }, /timeout is 20 minutes/],
    [{ spanSize: 0 }, /spanSize is 0/],
  ]
  for (const [props, message] of cases) assert.throws(() => stackWith(props), { message })
  const stack = newStack({ account: '123456789012', region: 'eu-west-1' })
  assert.throws(() => new SociIndexOnPush(stack, 'OnPush', { repositories: [other] }), {
    message: /repositories has Other\/Elsewhere of region us-east-1, and the stack's is eu-west-1/,
  })
})
