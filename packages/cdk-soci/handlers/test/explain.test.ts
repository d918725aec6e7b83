// What users read as the reason of a failure: the cause, what to do in AWS, and nothing that only a command line has.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StoreError } from '@sociable/oci'
import { explain } from '../src/explain.js'
import { isRefusedByAws } from '../src/permissions.js'
import { toldReach, UnreachableError } from '../src/unreachable.js'

const ECR = '123456789012.dkr.ecr.eu-west-1.amazonaws.com'
const STORAGE = 'prod-eu-west-1-starport-layer-bucket.s3.eu-west-1.amazonaws.com'

test('hosts that cannot be reached: the endpoint that the VPC needs', () => {
  for (const [request, endpoint] of [
    [`GET https://${ECR}/v2/app/manifests/one`, 'the interface endpoint com.amazonaws.eu-west-1.ecr.dkr'],
    [`GET https://${STORAGE}/x`, 'the gateway endpoint com.amazonaws.eu-west-1.s3 and routes to it'],
    [
      'HEAD https://123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/v2/app/manifests/one',
      'the interface endpoint cn.com.amazonaws.cn-north-1.ecr.dkr',
    ],
  ] as const) {
    const told = explain(new StoreError('UNREACHABLE', `${request}: Connect Timeout Error`))
    assert.ok(told.startsWith(`${request}: Connect Timeout Error: in a VPC without internet access, `), told)
    assert.ok(told.includes(endpoint), told)
  }
  const elsewhere = 'GET https://ghcr.io/v2/a/manifests/1: Connect Timeout Error'
  assert.equal(explain(new StoreError('UNREACHABLE', elsewhere)), elsewhere)
})

test('calls of the SDK that never came to the service', () => {
  const error = (fields: object) => Object.assign(new Error('x'), fields)
  const proxied = { name: 'UnknownError', $metadata: { httpStatusCode: 504 } }
  for (const [failure, what] of [
    [error({ name: 'TimeoutError' }), 'no connection, or no answer, in time'],
    [error({ code: 'ENOTFOUND' }), 'ENOTFOUND'],
    [error(proxied), 'a proxy answered 504'],
  ] as const) {
    const told = toldReach(failure, 'ECR', 'eu-west-1')
    assert.ok(told instanceof UnreachableError)
    assert.ok(
      explain(told).startsWith(
        `the API of ECR in eu-west-1 cannot be reached (${what}): in a VPC without internet access, this requires the interface endpoint com.amazonaws.eu-west-1.ecr.api, `,
      ),
      explain(told),
    )
  }
  for (const answered of [
    error({ name: 'AccessDeniedException', $metadata: { httpStatusCode: 400 } }),
    error({ name: 'InternalFailure', $metadata: { httpStatusCode: 500, requestId: '1' } }),
    error({ name: 'CredentialsProviderError' }),
    'x',
  ])
    assert.equal(toldReach(answered, 'ECR', 'eu-west-1'), answered)
})

test('only IAM is waited for', () => {
  const denied = Object.assign(new Error('x'), { name: 'AccessDeniedException' })
  assert.ok(isRefusedByAws(new StoreError('DENIED', 'Amazon ECR gave no login', { cause: denied })))
  assert.ok(!isRefusedByAws(new StoreError('UNREACHABLE', 'no way', { cause: new UnreachableError('no way') })))
  const missing = Object.assign(new Error("Cannot find package '@aws-sdk/client-ecr'"), {
    code: 'ERR_MODULE_NOT_FOUND',
  })
  assert.ok(!isRefusedByAws(new StoreError('UNAUTHORIZED', 'Amazon ECR gave no login', { cause: missing })))
})

test('refusals: what to set, without a command', () => {
  const advice = 'docker login ghcr.io (or --username with --password-stdin)'
  const request = 'GET https://ghcr.io/v2/a/b/manifests/1 answered 401'
  assert.equal(
    explain(new StoreError('UNAUTHORIZED', request, { advice })),
    `${request}: set credentials that may pull the image`,
  )
  assert.match(
    explain(new StoreError('DENIED', `GET https://${STORAGE}/x answered 403 (AccessDenied)`)),
    /arn:aws:s3:::prod-eu-west-1-starport-layer-bucket\/\*$/,
  )
})
