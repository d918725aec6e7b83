// The small parts, each by itself.
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { parseChallenges } from '../../src/registry/challenge.js'
import { apiHost, isLoopback } from '../../src/registry/hosts.js'
import { MemoryBudget } from '../../src/registry/memory-budget.js'
import { connectionFailure } from '../../src/registry/network-failure.js'
import { redactText, redactUrl } from '../../src/registry/redact.js'
import { parseRetryAfter, RETRY_POLICY, retrying } from '../../src/registry/retry.js'
import { coversScopes, formatScopes, parseScopes, repositoryScope, uniteScopes } from '../../src/registry/scope.js'
import { TransientError } from '../../src/registry/transient.js'
import { UploadContent } from '../../src/registry/upload-content.js'
import { collect, describe, noise } from '../images.js'
import { chunked } from './open.js'

function challenges(header: string): unknown[] {
  return parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)])
}

test('challenges', () => {
  for (const [header, expected] of [
    ['', []],
    ['Basic', [['basic', {}]]],
    ['Basic realm="x"', [['basic', { realm: 'x' }]]],
    [
      'Bearer realm="https://a.test/token",service="b",scope="repository:c:pull,push"',
      [['bearer', { realm: 'https://a.test/token', service: 'b', scope: 'repository:c:pull,push' }]],
    ],
    // Spaces, upper case, escapes, unquoted values.
    ['BEARER  Realm = "a \\"b\\" \\\\" , service=c', [['bearer', { realm: 'a "b" \\', service: 'c' }]]],
    // Several in one header, with the data of another scheme.
    [
      'Negotiate YII=, Basic realm="x", Bearer realm="y"',
      [
        ['negotiate', {}],
        ['basic', { realm: 'x' }],
        ['bearer', { realm: 'y' }],
      ],
    ],
    [
      ', ,Basic realm="a", ,Digest qop="auth,auth-int", nonce=1',
      [
        ['basic', { realm: 'a' }],
        ['digest', { qop: 'auth,auth-int', nonce: '1' }],
      ],
    ],
    ['Bearer realm="a",realm="b"', [['bearer', { realm: 'a' }]]],
  ] as const)
    assert.deepEqual(challenges(header), expected, header)
  for (const header of ['"', '=', 'Bearer a=1, realm=', 'Bearer realm="x', 'Bearer realm="x" é', '\u0000'])
    assert.throws(() => parseChallenges(header), { code: 'PROTOCOL' }, header)
})

test('challenges: long ones take no long', () => {
  for (const header of [
    'a'.repeat(60_000),
    `Bearer ${'a=b,'.repeat(15_000)}`,
    `B ${'=,'.repeat(30_000)}`,
    ','.repeat(60_000),
    '"\\'.repeat(30_000),
  ])
    try {
      parseChallenges(header)
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'PROTOCOL')
    }
})

test('addresses in messages', () => {
  for (const [address, shown] of [
    ['https://user:secret@a.test/v2/b#c', 'https://a.test/v2/b'],
    ['https://a.test/v2/b?digest=sha256:00&_state=secret', 'https://a.test/v2/b?digest=sha256:00&_state=…'],
    ['https://s3.test/b?X-Amz-Signature=secret&X-Amz-Expires=5', 'https://s3.test/b?X-Amz-Signature=…&X-Amz-Expires=…'],
    ['https://a.test:5000/?secret', 'https://a.test:5000/?secret=…'],
  ] as const)
    assert.equal(redactUrl(new URL(address)).replace('?secret=…', '?secret=…'), shown)
})

test('what a server said, in messages', () => {
  assert.equal(redactText('a\u001b[31m\r\nb\u202ec'), 'a [31m b c')
  assert.equal(redactText('see https://a.test/b?sig=secret, or'), 'see https://a.test/b?… or')
  assert.equal(redactText('you sent hunter2!', ['hunter2', '']), 'you sent …!')
  assert.equal(redactText('x'.repeat(1000)).length, 301)
})

test('Retry-After', () => {
  const now = Date.parse('Tue, 24 Nov 2026 10:00:00 GMT')
  for (const [value, expected] of [
    [undefined, undefined],
    ['0', 0],
    ['120', 120_000],
    [' 5 ', 5000],
    ['Tue, 24 Nov 2026 10:00:30 GMT', 30_000],
    ['Tue, 24 Nov 2026 09:00:00 GMT', 0],
    ['-1', undefined],
    ['1e9', undefined],
    ['soon', undefined],
    ['2026', 2_026_000],
    ['99999999999999999999', undefined],
  ] as const)
    assert.equal(parseRetryAfter(value, now), expected, value)
})

test('what is tried again, and how often', async () => {
  const policy = { ...RETRY_POLICY, retries: 3, delay: 0, longestRetryAfter: 50 }
  const fail = async (error: Error): Promise<number> => {
    let count = 0
    const run = retrying(policy, undefined, async () => {
      count++
      throw error
    })
    await assert.rejects(run, error)
    return count
  }
  assert.equal(await fail(new TransientError('UNREACHABLE', 'a')), 4)
  assert.equal(await fail(new TransientError('RATE_LIMITED', 'a', { retryAfter: 1 })), 4)
  assert.equal(await fail(new TransientError('RATE_LIMITED', 'a', { retryAfter: 51 })), 1)
  assert.equal(await fail(new TransientError('UNREACHABLE', 'a', { retries: 1 })), 2)
  const noConnection = Object.assign(new Error('Connect Timeout Error'), { code: 'UND_ERR_CONNECT_TIMEOUT' })
  assert.equal(await fail(connectionFailure(noConnection, 'GET a', new URL('https://a.test/')) as Error), 3)
  assert.equal(await fail(new Error('a')), 1)
  assert.equal(await fail(new TypeError('fetch failed')), 1)
  const abort = new AbortController()
  const reason = new Error('enough')
  let count = 0
  const long = { ...policy, delay: 60_000, longestRetryAfter: 120_000 }
  for (const retryAfter of [undefined, 100_000]) {
    const run = retrying(long, abort.signal, async () => {
      count++
      setImmediate(() => abort.abort(reason))
      throw new TransientError('UNREACHABLE', 'a', { retryAfter })
    })
    await assert.rejects(run, reason)
  }
  assert.equal(count, 1) // the second was called off before it began
})

test('scopes', () => {
  const scopes = parseScopes(
    'repository:a/b:push,pull registry:catalog:* nonsense repository:h:5000/c:pull repository:a/b:delete',
  )
  assert.deepEqual(formatScopes(scopes), [
    'registry:catalog:*',
    'repository:a/b:delete,pull,push',
    'repository:h:5000/c:pull',
  ])
  assert.ok(coversScopes(scopes, repositoryScope('a/b', 'pull')))
  assert.ok(!coversScopes(repositoryScope('a/b', 'pull'), repositoryScope('a/b', 'pull', 'push')))
  assert.ok(!coversScopes(repositoryScope('a', 'pull'), repositoryScope('b', 'pull')))
  assert.deepEqual(formatScopes(uniteScopes(repositoryScope('a', 'pull'), repositoryScope('a', 'push'), new Map())), [
    'repository:a:pull,push',
  ])
  assert.deepEqual(formatScopes(parseScopes('')), [])
})

test('hosts', () => {
  assert.equal(apiHost('docker.io'), 'registry-1.docker.io')
  assert.equal(apiHost('a.test:5000'), 'a.test:5000')
  for (const host of ['localhost', 'localhost:5000', '127.0.0.1', '127.1.2.3:80', '[::1]:5000', '[::1]', 'a.localhost'])
    assert.ok(isLoopback(host), host)
  for (const host of ['a.test', '128.0.0.1', '127.0.0.1.a.test', 'localhost.a.test', '[::2]', '10.0.0.1'])
    assert.ok(!isLoopback(host), host)
})

test('the memory of several downloads', () => {
  const budget = new MemoryBudget(100)
  budget.enter()
  assert.equal(budget.share, 100)
  budget.enter()
  assert.equal(budget.share, 50)
  assert.ok(budget.tryTake(60))
  assert.ok(!budget.tryTake(41))
  assert.ok(budget.tryTake(40))
  assert.equal(budget.taken, 100)
  budget.release(100)
  budget.leave()
  assert.equal(budget.share, 100)
})

test('a content on its way up, whole, in odd chunks and byte by byte', async () => {
  const bytes = noise(1000)
  const descriptor = describe('x', bytes)
  const open = (content: ConstructorParameters<typeof UploadContent>[1], verify = true) =>
    new UploadContent(descriptor, content, { verify, where: 'the test' })
  for (const size of [1, 7, 333, 1000, 5000]) {
    assert.deepEqual(await collect(open(chunked(bytes, size)).chunks()), bytes)
    for (const piece of [1, 100, 333, 999, 1000, 1001]) {
      const pieces: Uint8Array[] = []
      for await (const part of open(chunked(bytes, size)).pieces(piece)) pieces.push(part)
      assert.deepEqual(new Uint8Array(Buffer.concat(pieces)), bytes)
      assert.ok(pieces.slice(0, -1).every(({ length }) => length === piece))
      assert.equal(pieces.length, Math.ceil(1000 / piece))
    }
  }
  // Whole contents only: the last chunk of a wrong one is not given out.
  let given = 0
  const wrong = noise(1000, 'wrong')
  await assert.rejects(
    async () => {
      for await (const chunk of open(chunked(wrong, 100)).chunks()) given += chunk.length
    },
    { code: 'DIGEST_MISMATCH' },
  )
  assert.equal(given, 900)
  await assert.rejects(collect(open(chunked(bytes.subarray(1), 100), false).chunks()), { code: 'SIZE_MISMATCH' })
  // A source may write its chunks over.
  const reused = new Uint8Array(100)
  const overwriting = (async function* () {
    for (let at = 0; at < 1000; at += 100) {
      reused.set(bytes.subarray(at, at + 100))
      yield reused
    }
  })()
  const given2: Uint8Array[] = []
  for await (const chunk of open(overwriting).chunks()) given2.push(chunk)
  assert.deepEqual(new Uint8Array(Buffer.concat(given2)), bytes)
  for (const [content, again] of [
    [bytes, true],
    [[bytes], true],
    [new Set([bytes]), true],
    [{ [Symbol.asyncIterator]: () => chunked(bytes, 10) }, true],
    [chunked(bytes, 10), false],
    [[bytes].values(), false],
    [Readable.from([Buffer.from(bytes)]), false],
  ] as const) {
    const upload = open(content as ConstructorParameters<typeof UploadContent>[1])
    assert.ok(upload.available)
    await collect(upload.chunks())
    assert.equal(upload.available, again)
  }
})
