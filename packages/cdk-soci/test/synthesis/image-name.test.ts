import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Aws, CfnResource, Fn, Lazy, type Stack, Token } from 'aws-cdk-lib'
import * as ecr from 'aws-cdk-lib/aws-ecr'
import { attributeNamed, describeImageName, parseEcrImageName } from 'cdk-soci/lib/private/image-name.js'
import { asText, newApp, newStack } from './templates.js'

const ACCOUNT = '111111111111'

/** The parts of a name, as text. */
function parts(stack: Stack, name: string) {
  const parsed = parseEcrImageName(stack, name)
  if (parsed === undefined) return undefined
  const { account, region, repositoryName, repositoryUri, reference } = parsed
  return [account, region, repositoryName, repositoryUri, reference].map((part) => asText(stack.resolve(part)))
}

test('hosts of all kinds are taken apart', () => {
  const stack = newStack()
  const hosts: [string, string][] = [
    ['dkr.ecr.eu-west-1.amazonaws.com', 'eu-west-1'],
    ['dkr.ecr.cn-north-1.amazonaws.com.cn', 'cn-north-1'],
    ['dkr.ecr-fips.us-gov-west-1.amazonaws.com', 'us-gov-west-1'],
    ['dkr-ecr.eu-west-1.on.aws', 'eu-west-1'],
    ['dkr.ecr.us-iso-east-1.c2s.ic.gov', 'us-iso-east-1'],
  ]
  for (const [host, region] of hosts) {
    const uri = `${ACCOUNT}.${host}/team/app`
    assert.deepEqual(parts(stack, `${uri}:1.0`), [ACCOUNT, region, 'team/app', uri, '1.0'], host)
  }
})

test('a name without a tag has the tag latest, and of tag and digest the digest counts', () => {
  const stack = newStack()
  const uri = `${ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/app`
  const digest = `sha256:${'a'.repeat(64)}`
  assert.equal(parseEcrImageName(stack, uri)?.reference, 'latest')
  const both = parseEcrImageName(stack, `${uri}:1@${digest}`)
  assert.deepEqual([both?.reference, both?.byDigest], [digest, true])
  assert.equal(both?.key, `${uri}@${digest}`)
})

test('what is no private repository of ECR, or cannot be told, has no parts', () => {
  const stack = newStack()
  const token = Fn.importValue('x')
  for (const name of [
    '',
    'nginx',
    'public.ecr.aws/nginx/nginx:1',
    `${ACCOUNT}.dkr.ecr.eu-west-1.example.org`,
    '123.dkr.ecr.eu-west-1.amazonaws.com/app',
    `evil.${ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/app`,
    token,
    `${token}:1`,
    `${token}/app:1`,
  ])
    assert.equal(parts(stack, name), undefined, name)
})

test('a name is the same whether it is joined, substituted or an attribute', () => {
  const stack = newStack()
  const host = `${Aws.ACCOUNT_ID}.dkr.ecr.${Aws.REGION}.${Aws.URL_SUFFIX}`
  const substituted = Fn.sub(
    ['AWS::AccountId}.dkr.ecr.', 'AWS::Region}.', 'AWS::URLSuffix}/', 'Name}:1'].map((part) => `\${${part}`).join(''),
    { Name: 'app' },
  )
  const joined = Fn.join('/', [host, Fn.join(':', ['app', '1'])])
  const lazy = Lazy.string({ produce: () => `${host}/app:1` })
  const keys = [`${host}/app:1`, substituted, joined, lazy].map((name) => parseEcrImageName(stack, name)?.key)
  assert.equal(new Set(keys).size, 1)
  assert.ok(keys[0]?.endsWith('/app:1'))

  const repository = new ecr.CfnRepository(stack, 'Repository')
  const asConstruct = ecr.Repository.fromRepositoryAttributes(stack, 'Imported', {
    repositoryArn: repository.attrArn,
    repositoryName: repository.ref,
  })
  const [byAttribute, byConstruct] = [`${repository.attrRepositoryUri}:1`, asConstruct.repositoryUriForTag('1')]
  assert.equal(parseEcrImageName(stack, byAttribute)?.key, parseEcrImageName(stack, byConstruct)?.key)
})

test('an attribute RepositoryUri of what is not a repository, and odd names of variables, are left alone', () => {
  const stack = newStack()
  const other = new CfnResource(stack, 'Other', { type: 'Custom::Other' })
  assert.equal(parseEcrImageName(stack, `${other.getAtt('RepositoryUri')}:1`), undefined)
  const host = `${ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com`
  const name = Token.asString({ 'Fn::Sub': `${host}/\${constructor}:\${!x}` })
  assert.equal(asText(stack.resolve(parseEcrImageName(stack, name)?.repositoryName)), '<constructor>')
  assert.equal(parseEcrImageName(stack, Token.asString({ 'Fn::Sub': [] })), undefined)
})

test('what the stack knows of its account and region is put in', () => {
  const stack = newStack(newApp(), 'Stack', { env: { account: ACCOUNT, region: 'eu-west-1' } })
  const name = `${Aws.ACCOUNT_ID}.dkr.ecr.${Aws.REGION}.amazonaws.com/app:1`
  assert.equal(parseEcrImageName(stack, name)?.key, `${ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/app:1`)
})

test('repositories of two stacks with one logical id are two', () => {
  const app = newApp()
  const stack = newStack(app, 'User')
  const names = ['A', 'B'].map((id) => new ecr.Repository(newStack(app, id), 'Repository').repositoryUriForTag('1'))
  const [a, b] = names.map((name) => parseEcrImageName(stack, name)?.key)
  assert.notEqual(a, b)
  assert.equal(a, parseEcrImageName(stack, names[0]!)?.key)
})

test('messages show what is not known yet, and attributes are told by their names', () => {
  const stack = newStack()
  const attribute = Token.asString({ 'Fn::GetAtt': ['Build', 'outputImageTag'] })
  assert.match(describeImageName(stack, `app:${attribute}`), /^app:\$\{Build\.outputImageTag\}$/)
  assert.match(describeImageName(stack, `app:${Fn.importValue('x')}`), /^app:\$\{Fn::ImportValue\}$/)
  assert.equal(attributeNamed(stack, attribute), 'outputImageTag')
  assert.equal(attributeNamed(stack, Token.asString({ 'Fn::GetAtt': 'Build.outputImageTag' })), 'outputImageTag')
  assert.equal(attributeNamed(stack, `x${attribute}`), undefined)
  assert.equal(attributeNamed(stack, '1'), undefined)
})
