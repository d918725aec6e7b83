// What arrives: every documented form of event, what is none, and which pushes are meant.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { matchesFilters, matchesWildcards, parseFilters } from '../../src/on-push/filters.js'
import { isOutputTag, outputTag, templateProblem } from '../../src/on-push/output-tag.js'
import { type Push, PushError, pushEvent, readPush } from '../../src/on-push/push.js'
import { readSettings } from '../../src/on-push/settings.js'
import { pushed } from '../support/on-push.js'

const FIXTURES = new URL('../../../../test/fixtures/ecr-events/', import.meta.url)
const DIGEST = `sha256:${'7f5b2640fe6fb4f46592dfd3410c4a79dac4f89e4782432e0378abcd1234'.padEnd(64, '0')}`

const EXPECTED: Readonly<Record<string, RegExp | { readonly uri: string; readonly tag?: string }>> = {
  'image-push': { uri: '123456789012.dkr.ecr.us-west-2.amazonaws.com/my-repository-name', tag: 'latest' },
  'image-push-untagged': { uri: '123456789012.dkr.ecr.us-west-2.amazonaws.com/my-repository-name' },
  replication: { uri: '123456789012.dkr.ecr.us-east-1.amazonaws.com/docker-hub/alpine', tag: '3.17.2' },
  'replication-failed': /the result is "FAILED"/,
  'image-delete': /"ECR Image Action" \("DELETE"\) is not of an image that was pushed/,
  'image-archive': /"UPDATE_STORAGE_CLASS"/,
  'image-restore': /"UPDATE_STORAGE_CLASS"/,
  'referrer-restore': /"ECR Referrer Action"/,
  'pull-through-cache': /"ECR Pull Through Cache Action" \(missing\)/,
  'image-scan': /"ECR Image Scan"/,
  'scan-resource-change': /"ECR Scan Resource Change"/,
}

test('every documented event of Amazon ECR is a push, or is none for a reason', () => {
  const names = readdirSync(FIXTURES).flatMap((name) => (name.endsWith('.json') ? [name.slice(0, -5)] : []))
  assert.deepEqual(names.sort(), Object.keys(EXPECTED).sort())
  for (const name of names) {
    const read = readPush(JSON.parse(readFileSync(new URL(`${name}.json`, FIXTURES), 'utf8')))
    const expected = EXPECTED[name]!
    if (expected instanceof RegExp) assert.match(String(read), expected, name)
    else {
      const { repository, ...rest } = read as Push
      assert.deepEqual({ uri: repository.uri, ...rest }, { ...expected, digest: DIGEST }, name)
    }
  }
})

test('events of other services are ignored, and what only looks like a push is refused', () => {
  for (const event of [{}, { source: 'aws.s3', detail: {} }, { source: 'aws.ecs', detail: { 'action-type': 'PUSH' } }])
    assert.match(readPush(event) as string, /not of Amazon ECR/)
  const push = pushed(DIGEST, 'one') as { detail: object }
  const cases: [unknown, RegExp][] = [
    ['text', /is not an event/],
    [[], /is not an event/],
    [null, /is not an event/],
    [{ ...push, detail: undefined }, /has no detail/],
    [{ ...push, account: 'other' }, /names no repository of Amazon ECR: account "other"/],
    [{ ...push, region: '../x' }, /names no repository/],
    [{ ...push, region: 7 }, /region is 7, not a string/],
    [pushed(DIGEST, 'one', '../../etc'), /names no repository/],
    [pushed('latest', 'one'), /image-digest is "latest", not a digest/],
    [pushed(DIGEST, 'one', 'app', { 'image-digest': undefined }), /image-digest is missing/],
    [pushed(DIGEST, '-x'), /image-tag is "-x", not a tag/],
    [pushed(DIGEST, 'x'.repeat(129)), /not a tag/],
    [pushed(DIGEST, 'one', 'app', { 'image-tag': ['x'] }), /not a tag/],
  ]
  for (const [event, message] of cases) assert.throws(() => readPush(event), { name: 'PushError', message })
  assert.ok(PushError.prototype instanceof Error)
})

test('an event that is made for the queue is read as the push that it is of', () => {
  for (const [region, host] of [
    ['eu-west-1', 'amazonaws.com'],
    ['cn-north-1', 'amazonaws.com.cn'],
    ['us-gov-west-1', 'amazonaws.com'],
    ['eusc-de-east-1', 'amazonaws.eu'],
  ]) {
    const push = readPush({ ...pushed(DIGEST, 'one'), region }) as Push
    assert.equal(push.repository.uri, `123456789012.dkr.ecr.${region}.${host}/app`)
    assert.deepEqual(readPush(pushEvent(push)), push)
  }
})

test('filters match repository and tag with wildcards', () => {
  for (const [text, pattern, matches] of [
    ['', '', true],
    ['', '*', true],
    ['', '?', false],
    ['abc', 'a?c', true],
    ['abc', 'a*', true],
    ['abc', '*bc*', true],
    ['abc', 'ab', false],
    ['team/app', 'team/*', true],
    ['team/x/app', 'team/*/app', true],
    ['aXbXc', '*X?', true],
    ['mississippi', 'm*iss*p?', true],
    ['mississippi', 'm*iss*z', false],
    ['a.b', 'a?b', true],
    ['aab', 'a.b', false],
  ] as const)
    assert.equal(matchesWildcards(text, pattern), matches, `${text} ${pattern}`)
  const filters = parseFilters('prod/*:v*, test:*-RC?')
  for (const [repository, tag, matches] of [
    ['prod/app', 'v1', true],
    ['prod/app', '1', false],
    ['test', '2-RC1', true],
    ['test', '2-rc1', false],
    ['other', 'v1', false],
    ['prod/app', '', false],
  ] as const)
    assert.equal(matchesFilters(filters, repository, tag), matches, `${repository}:${tag}`)
  assert.ok(matchesFilters(parseFilters('*:*'), 'any/name', ''))
  // Nothing that takes long: each star that fails starts only once more at each place
  assert.equal(matchesWildcards('a'.repeat(256), `${'*a'.repeat(100)}*b`), false)
  for (const bad of ['', 'app', 'app:', ':tag', 'app:a:b', 'App:*', 'app:[a-z]', '*:*,', 'a b:*', 'host.com/app@x:1'])
    assert.throws(() => parseFilters(bad), { name: 'FilterError', message: /must be REPOSITORY:TAG/ }, bad)
})

test('output tags are made of a template, and known by it', () => {
  assert.equal(outputTag('{tag}-soci', '1.2'), '1.2-soci')
  assert.equal(outputTag('soci.{tag}', '$&'), 'soci.$&')
  assert.equal(outputTag('{tag}-soci', 'x'.repeat(123)).length, 128)
  assert.throws(() => outputTag('{tag}-soci', 'x'.repeat(124)), { message: /has 124 characters, .* would have 129: / })
  assert.ok(isOutputTag('{tag}-soci', '1.2-soci'))
  for (const other of ['1.2', '-soci', 'soci', '1.2-soci2']) assert.ok(!isOutputTag('{tag}-soci', other), other)
  assert.equal(templateProblem('a.{tag}_b'), undefined)
  for (const bad of ['soci', '{tag}', '{tag}{tag}', '{tag} x', '-{tag}', '{tag}:x'])
    assert.notEqual(templateProblem(bad), undefined, bad)
})

test('the function says which of its environment variables is wrong', () => {
  const cases: [NodeJS.ProcessEnv, RegExp][] = [
    [{ SOCI_INDEX_VERSION: 'v3' }, /SOCI_INDEX_VERSION is "v3": it must be V1 or V2/],
    [{ SOCI_FILTERS: 'app' }, /the filter "app" must be REPOSITORY:TAG/],
    [{ SOCI_OUTPUT_TAG: 'soci' }, /SOCI_OUTPUT_TAG is "soci": it must have \{tag\} once/],
    [{ SOCI_OPTIONS: '[]' }, /SOCI_OPTIONS is "\[\]": it must be an object/],
    [{ SOCI_OPTIONS: '{"Repository":"x"}' }, /not Repository/],
    [{ SOCI_STATE_MACHINE_ABOVE: '1e9' }, /SOCI_STATE_MACHINE_ABOVE is "1e9": it must be a whole number/],
  ]
  for (const [environment, message] of cases) assert.throws(() => readSettings(environment), { message })
  const { filters, version, outputTag: template } = readSettings({ SOCI_INDEX_VERSION: 'V1', SOCI_FILTERS: '' })
  assert.deepEqual([filters, version, template], [[{ repository: '*', tag: '*' }], 'v1', '{tag}-soci'])
})
