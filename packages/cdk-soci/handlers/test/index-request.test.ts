import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseEcrRepository } from '../src/ecr-repository.js'
import { imageName, ownerOf, parseIndexRequest } from '../src/index-request.js'
import { ownerTag, ownerTagsAmong } from '../src/owner-tags.js'
import { ECR_HOST } from './support/cloud.js'

const APP = `${ECR_HOST}/team/app`
const V2 = { Format: 'v2', Repository: APP, InputTag: '1.0', OutputTag: '1.0-soci' }

test('properties become what they ask for', () => {
  const request = parseIndexRequest({
    ...V2,
    SpanSize: '1048576',
    MinLayerSize: '0',
    Platforms: ['linux/arm64'],
    PrefetchFiles: [],
    BuildTool: '',
    Xattr: 'true',
    RequireIndex: 'false',
    Removal: 'destroy',
    ServiceToken: 'ignored',
  })
  assert.deepEqual(request.options, {
    spanSize: 1048576,
    minLayerSize: 0,
    platforms: ['linux/arm64'],
    prefetchFiles: undefined,
    profile: undefined,
    buildTool: undefined,
    optimizations: ['xattr'],
    requireIndex: false,
  })
  assert.equal(request.removal, 'destroy')
  assert.equal(request.repository.arn, 'arn:aws:ecr:eu-west-1:123456789012:repository/team/app')
  assert.equal(request.physicalId, `${APP}:1.0-soci`)
  const digest = `sha256:${'0'.repeat(64)}`
  const v1 = parseIndexRequest({ Format: 'v1', Repository: APP, InputTag: digest })
  assert.deepEqual([v1.physicalId, imageName(v1.output)], [`${APP}@v1:${digest}`, `${APP}@${digest}`])
  assert.equal(parseIndexRequest({ ...V2, OutputRepository: `${ECR_HOST}/other`, OutputTag: '1.0' }).output.tag, '1.0')
})

for (const [properties, message] of [
  [{ ...V2, Format: 'v3' }, /Format is "v3": it must be v1 or v2/],
  [{ ...V2, Format: 2 }, /Format is 2: it must be a string/],
  [{ ...V2, InputTag: undefined }, /InputTag is missing/],
  [{ ...V2, InputTag: 'a b' }, /InputTag is "a b": it must be a tag, or a digest/],
  [{ ...V2, OutputTag: `sha256:${'0'.repeat(64)}` }, /OutputTag is .*it must be a tag/],
  [{ ...V2, OutputTag: 'x'.repeat(129) }, /it must be a tag/],
  [{ ...V2, OutputTag: '1.0' }, /the same as InputTag/],
  [{ ...V2, Repository: `${ECR_HOST}/App` }, /a private ECR repository/],
  [{ ...V2, Repository: `${APP}:1.0` }, /a private ECR repository/],
  [{ ...V2, SpanSize: '-1' }, /SpanSize is "-1": it must be a whole number/],
  [{ ...V2, SpanSize: '99999999999999999999' }, /whole number/],
  [{ ...V2, MinLayerSize: '1e3' }, /whole number/],
  [{ ...V2, Platforms: 'linux/arm64' }, /Platforms is "linux\/arm64": it must be a list/],
  [{ ...V2, Platforms: [1] }, /a list of strings/],
  [{ ...V2, Removal: 'snapshot' }, /retain or destroy/],
  [{ ...V2, Source: 'nginx', InputTag: `sha256:${'0'.repeat(64)}` }, /a tag where there is a Source/],
] as const)
  test(`properties that are refused: ${message.source}`, () => {
    assert.throws(() => parseIndexRequest(properties), { name: 'PropertyError', message })
  })

for (const [host, arn] of [
  ['123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn', 'arn:aws-cn:ecr:cn-north-1'],
  ['123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com', 'arn:aws-us-gov:ecr:us-gov-west-1'],
  ['123456789012.dkr-ecr.eu-west-1.on.aws', 'arn:aws:ecr:eu-west-1'],
  ['123456789012.dkr.ecr.us-iso-east-1.c2s.ic.gov', 'arn:aws-iso:ecr:us-iso-east-1'],
  ['123456789012.dkr.ecr.us-isob-east-1.sc2s.sgov.gov', 'arn:aws-iso-b:ecr:us-isob-east-1'],
  ['123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu', 'arn:aws-eusc:ecr:eusc-de-east-1'],
] as const)
  test(`partitions: ${host}`, () => {
    assert.equal(parseEcrRepository(`${host}/app`)?.arn, `${arn}:123456789012:repository/app`)
  })

test('what is no private ECR repository', () => {
  for (const uri of [
    '',
    'app',
    'nginx',
    `${ECR_HOST}`,
    `${ECR_HOST}/`,
    `${ECR_HOST}/a//b`,
    'public.ecr.aws/a/b',
    `${ECR_HOST}.evil.com/app`,
  ])
    assert.equal(parseEcrRepository(uri), undefined, uri)
})

test('an owner is the same in all events of a resource, and another in another stack', () => {
  const event = (StackId: string, LogicalResourceId: string) =>
    ({
      RequestType: 'Create',
      ResponseURL: '',
      RequestId: '',
      StackId,
      LogicalResourceId,
      ResourceProperties: {},
    }) as const
  const owners = [ownerOf(event('a', 'b')), ownerOf(event('a', 'c')), ownerOf(event('ab', ''))]
  assert.equal(new Set(owners).size, 3)
  assert.match(owners[0]!, /^[0-9a-f]{12}$/)
  assert.equal(ownerOf({ ...event('a', 'b'), RequestType: 'Delete', RequestId: 'x' }), owners[0])
})

test('owner tags are tags, and those of one output are no other’s', () => {
  const long = 'x'.repeat(128)
  const requests = [
    parseIndexRequest(V2),
    parseIndexRequest({ ...V2, OutputTag: '1.0-soc' }),
    parseIndexRequest({ ...V2, OutputTag: long }),
    parseIndexRequest({ ...V2, OutputTag: `${long.slice(1)}y` }),
    parseIndexRequest({ ...V2, Format: 'v1' }),
    parseIndexRequest({ ...V2, Format: 'v1', InputTag: `sha256:${'0'.repeat(64)}` }),
    parseIndexRequest({ ...V2, Format: 'v1', InputTag: long }),
  ]
  const owner = '0123456789ab'
  const tags = requests.map((request) => ownerTag(request, owner))
  for (const [i, tag] of tags.entries()) {
    assert.match(tag, /^\w[\w.-]{0,127}$/)
    assert.deepEqual(ownerTagsAmong(requests[i]!, [...tags, 'latest', `${tag}0`]), [tag])
  }
  assert.equal(tags[0], '1.0-soci.owner-0123456789ab')
})
