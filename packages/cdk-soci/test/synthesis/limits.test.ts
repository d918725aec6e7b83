// Stacks of many images against what IAM and CloudFormation take ("IAM and AWS STS quotas", "CloudFormation quotas").
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type App, RemovalPolicy, type Stack } from 'aws-cdk-lib'
import { Repository } from 'aws-cdk-lib/aws-ecr'
import * as iam from 'aws-cdk-lib/aws-iam'
import { SociIndexV2Build } from 'cdk-soci'
import { asText, newApp, newStack, ofType, resourcesOf, toldOf } from './templates.js'

const IMAGES = 200
const REPOSITORIES = 60
const INLINE = 10_240 // characters of all inline policies of a role
const RESOURCES = 500
const TEMPLATE = 1_000_000 // bytes

function addImages(stack: Stack, images: number, removalPolicy = RemovalPolicy.RETAIN): void {
  const repositories = Array.from({ length: REPOSITORIES }, (_, i) =>
    Repository.fromRepositoryName(stack, `Repository${i}`, `team/some-service-with-a-name-${i}`),
  )
  for (let i = 0; i < images; i++)
    new SociIndexV2Build(stack, `Image${i}`, {
      repository: repositories[i % REPOSITORIES]!,
      inputImageTag: `v${i}`,
      removalPolicy,
    })
}

/** Characters of the inline policies, by role, as IAM counts them: without white space. */
function inlineSizes(stack: Stack): number[] {
  const sizes = new Map<string, number>()
  for (const { Properties } of Object.values(ofType(resourcesOf(stack), 'AWS::IAM::Policy')))
    for (const role of Properties.Roles as unknown[]) {
      const size = asText(Properties.PolicyDocument)
        .replaceAll('<AWS::Partition>', 'aws-us-gov')
        .replaceAll(/<[^>]*\.Arn>/g, 'x'.repeat(140)).length
      sizes.set(asText(role), (sizes.get(asText(role)) ?? 0) + size)
    }
  return [...sizes.values()]
}

test(`${IMAGES} images of ${REPOSITORIES} repositories fit into a stack, and their policies into a role`, (t) => {
  for (const context of [{}, { '@aws-cdk/aws-iam:minimizePolicies': true }]) {
    const stack = newStack(newApp(context), 'Many', { env: { account: '111111111111', region: 'us-gov-west-1' } })
    addImages(stack, IMAGES)
    const resources = resourcesOf(stack)
    const [size, ...others] = inlineSizes(stack)
    const template = JSON.stringify({ Resources: resources }).length
    t.diagnostic(`${size} characters of policies, ${Object.keys(resources).length} resources, ${template} bytes`)
    assert.deepEqual(others, [])
    assert.ok(size! > 1000 && size! < INLINE, `${size} characters`)
    assert.ok(Object.keys(resources).length < RESOURCES)
    assert.ok(template < TEMPLATE, `${template} bytes`)
  }
})

test('policies to remove results are warned about before IAM refuses them', () => {
  const few = newStack(newApp(), 'Few', { env: { account: '111111111111', region: 'us-gov-west-1' } })
  addImages(few, 15, RemovalPolicy.DESTROY)
  assert.ok(inlineSizes(few)[0]! < INLINE, `${inlineSizes(few)}`)
  assert.deepEqual(toldOf(few, 'warning'), [])
  const many = newStack(newApp(), 'Many')
  addImages(many, 20, RemovalPolicy.DESTROY)
  const warnings = toldOf(many, 'warning')
  assert.equal(warnings.length, 1)
  assert.match(warnings[0]!, /more than 15 indexes .* 10,240 characters .*RemovalPolicy\.RETAIN/)
})

test('the report of customizeRoles names what the function does', { skip: !('customizeRoles' in iam.Role) }, () => {
  const fill = (app: App): Stack => {
    const stack = newStack(app, 'Custom')
    const repository = Repository.fromRepositoryName(stack, 'Repository', 'app')
    for (const tag of ['a', 'b'])
      new SociIndexV2Build(stack, tag, { repository, inputImageTag: tag, removalPolicy: RemovalPolicy.DESTROY })
    return stack
  }
  const roles = fill(newApp())
    .node.findAll()
    .filter((node) => node instanceof iam.Role)
  assert.ok(roles.length > 0)
  const app = newApp()
  iam.Role.customizeRoles(app, {
    usePrecreatedRoles: Object.fromEntries(roles.map(({ node }, i) => [node.path, `precreated-${i}`])),
  })
  const stack = fill(app)
  const { directory } = app.synth()
  const report = readFileSync(join(directory, 'iam-policy-report.txt'), 'utf8')
  for (const action of ['ecr:PutImage', 'ecr:BatchGetImage', 'ecr:BatchDeleteImage', 'logs:PutLogEvents'])
    assert.ok(report.includes(`"${action}"`), action)
  assert.equal(report.match(/"ecr:GetAuthorizationToken"/g)?.length, 1, 'each statement once')
  assert.equal(Object.keys(ofType(resourcesOf(stack), 'AWS::IAM::Policy')).length, 0)
})
