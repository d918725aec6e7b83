import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SociCompute } from 'cdk-soci'

test('lambda options out of their bounds are refused', () => {
  assert.throws(() => SociCompute.lambdaFunction({ memorySize: 128 }), /memorySize is 128.*512 to 10240/)
})
