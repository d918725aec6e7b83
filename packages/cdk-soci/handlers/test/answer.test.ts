import assert from 'node:assert/strict'
import { test } from 'node:test'
import { printable } from 'sociable'
import { ANSWER_LIMIT, type Answer, encodeAnswer, failed, sendAnswer, succeeded } from '../src/answer.js'
import type { CloudFormationEvent } from '../src/event.js'
import { doubles, URL_SECRET } from './support/cloud.js'

const EVENT: CloudFormationEvent = {
  RequestType: 'Create',
  ResponseURL: 'https://x',
  StackId: 'stack',
  RequestId: 'request',
  LogicalResourceId: 'Index',
  ResourceProperties: {},
}
const decode = (answer: Answer) => JSON.parse(new TextDecoder().decode(encodeAnswer(answer))) as Answer

for (const [name, text] of [
  ['ASCII', 'x'.repeat(10_000)],
  ['of four bytes each', '🐢'.repeat(3000)],
  ['that JSON escapes', '\u0001"\n'.repeat(3000)],
] as const)
  test(`an answer keeps to its limit, whatever is in it: ${name}`, () => {
    for (const answer of [
      failed(EVENT, text),
      succeeded(EVENT, 'id', { imageDigest: 'sha256:1', indexReason: text }),
    ]) {
      const bytes = encodeAnswer(answer)
      assert.ok(bytes.length <= ANSWER_LIMIT && bytes.length > ANSWER_LIMIT / 4, String(bytes.length))
      const { Reason, Data, ...rest } = decode(answer)
      const { Reason: _, Data: data, ...expected } = answer
      assert.deepEqual(rest, expected)
      const cut = Reason ?? Data!.indexReason!
      // A reason is one line, whatever an image or a registry says
      const whole = Reason === undefined ? text : printable(text)
      assert.ok(cut.endsWith(' [cut]') && whole.startsWith(cut.slice(0, 100)))
      if (data !== undefined) assert.equal(Data!.imageDigest, 'sha256:1')
    }
  })

test('an answer within the limit is as it is; one that repeats too much is refused', () => {
  const answer = succeeded(EVENT, 'id', { indexed: 'true', indexReason: '' })
  assert.deepEqual(decode(answer), answer)
  assert.equal(failed(EVENT, 'why').PhysicalResourceId, 'nothing-made:request')
  assert.equal(failed(EVENT, 'why', 'new').PhysicalResourceId, 'new')
  assert.equal(failed({ ...EVENT, PhysicalResourceId: 'old' }, 'why', 'new').PhysicalResourceId, 'old')
  assert.throws(() => encodeAnswer(succeeded({ ...EVENT, StackId: 'x'.repeat(5000) }, 'id')), RangeError)
})

test('an answer is sent without a content type, again where that may help, and its URL is in no error', async (t) => {
  const { listen } = await doubles()
  const seen: string[] = []
  const statuses = [500, 429, 200, 403, 500, 500]
  const server = await listen((request, response) => {
    seen.push(`${request.method} ${request.headers['content-type'] ?? ''}`)
    response.writeHead(statuses.shift()!).end()
  })
  t.after(() => server.close())
  const event = { ...EVENT, ResponseURL: `${server.url}/a?X-Amz-Signature=${URL_SECRET}` }
  const send = () => sendAnswer(event, failed(event, 'why'), { delays: [1, 1] })
  await send()
  assert.deepEqual(seen, ['PUT ', 'PUT ', 'PUT '])
  await assert.rejects(send(), /^Error: CloudFormation could not be answered: the response URL's host answered 403$/)
  statuses.push(500)
  await assert.rejects(send(), /answered 500$/)
  assert.equal(seen.length, 7)
  await server.close()
  await assert.rejects(send(), (error: Error) => {
    assert.match(error.message, /the response URL's host cannot be reached \(ECONNREFUSED\)$/)
    assert.equal(error.cause, undefined)
    return true
  })
})

test('an answer that nobody takes in time is sent again', async (t) => {
  const { listen } = await doubles()
  let requests = 0
  const server = await listen((_, response) => {
    if (++requests > 1) response.end()
  })
  t.after(() => server.close())
  const event = { ...EVENT, ResponseURL: server.url }
  await sendAnswer(event, failed(event, 'why'), { delays: [1], timeout: 100 })
  assert.equal(requests, 2)
})
