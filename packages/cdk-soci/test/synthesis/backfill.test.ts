// `SociBackfill`: what it makes of its props, and which it refuses.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Repository } from 'aws-cdk-lib/aws-ecr'
import { Bucket } from 'aws-cdk-lib/aws-s3'
import { SociBackfill, type SociBackfillProps, SociIndexVersion } from 'cdk-soci'
import { newStack, ofType, only, statementsOf } from './support.js'
import { asText } from './templates.js'

function stackWith(props?: SociBackfillProps) {
  const stack = newStack()
  new SociBackfill(stack, 'Backfill', props)
  return stack
}

const environmentOf = (props?: SociBackfillProps): Record<string, string> =>
  only(stackWith(props), 'AWS::Lambda::Function').Properties.Environment.Variables

test('the function is told what to index, and where to keep the results', () => {
  const { SOCI_BACKFILL_BUCKET, ...rest } = environmentOf()
  assert.deepEqual(rest, { SOCI_FILTERS: '*:*', SOCI_INDEX_VERSION: 'V2', SOCI_OUTPUT_TAG: '{tag}-soci' })
  assert.match(JSON.stringify(SOCI_BACKFILL_BUCKET), /\{"Ref":"BackfillBucket/)
  const options = {
    filters: ['app/*:v?', 'b:*'],
    outputTag: 'lazy.{tag}',
    spanSize: 65_536,
    platforms: ['linux/arm64'],
  }
  const given = environmentOf(options)
  assert.equal(given.SOCI_FILTERS, 'app/*:v?,b:*')
  assert.equal(given.SOCI_OUTPUT_TAG, 'lazy.{tag}')
  assert.deepEqual(JSON.parse(given.SOCI_OPTIONS!), { SpanSize: '65536', Platforms: ['linux/arm64'] })
  assert.equal(environmentOf({ indexVersion: SociIndexVersion.V1 }).SOCI_INDEX_VERSION, 'V1')
})

test('a bucket that is given is used, and only its runs/', () => {
  const stack = newStack()
  const bucket = Bucket.fromBucketName(stack, 'Own', 'own-bucket')
  const repositories = [Repository.fromRepositoryName(stack, 'Repository', 'app')]
  const backfill = new SociBackfill(stack, 'Backfill', { bucket, repositories, maxConcurrency: 7 })
  assert.equal(backfill.bucket, bucket)
  assert.deepEqual(ofType(stack, 'AWS::S3::Bucket'), [])
  const machine = asText(only(stack, 'AWS::StepFunctions::StateMachine').Properties.DefinitionString)
  assert.match(machine, /"MaxConcurrency":7,/)
  assert.match(machine, /"Bucket":"own-bucket"/)
  const s3 = statementsOf(stack).filter(({ Action }) => [Action].flat().some((action) => action.startsWith('s3:')))
  for (const { Resource } of s3) assert.match(asText(Resource), /:s3:::own-bucket(\/runs\/(\*|\*\/images\.json))?$/)
  const ecr = statementsOf(stack).filter(({ Action }) => [Action].flat().includes('ecr:PutImage'))
  assert.deepEqual(
    ecr.map(({ Resource }) => /repository\/(.*)$/.exec(asText(Resource))![1]),
    ['app'],
  )
})

test('what it makes for itself is private, and stays', () => {
  const bucket = only(stackWith(), 'AWS::S3::Bucket')
  assert.equal((bucket as { readonly DeletionPolicy?: string }).DeletionPolicy, 'Retain')
  assert.deepEqual(new Set(Object.values(bucket.Properties.PublicAccessBlockConfiguration)), new Set([true]))
})

test('props out of bounds are refused', () => {
  const refused: readonly [SociBackfillProps, RegExp][] = [
    [{ maxConcurrency: 0 }, /maxConcurrency is 0: it must be a whole number from 1 to 1000/],
    [{ maxConcurrency: 1.5 }, /maxConcurrency is 1.5/],
    [{ filters: ['app'] }, /filters has "app", without a tag/],
    [{ filters: [] }, /filters is empty/],
    [{ repositories: [] }, /repositories is empty/],
    [{ outputTag: 'soci' }, /outputTag is "soci": it must have \{tag\} once/],
    [{ memorySize: 1 }, /memorySize is 1/],
  ]
  for (const [props, message] of refused) assert.throws(() => stackWith(props), { message })
})
