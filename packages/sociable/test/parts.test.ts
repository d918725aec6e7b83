import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fargateEligibility } from '../src/image/eligibility.js'
import type { LayerJob } from '../src/indexing/plan.js'
import { layersAtOnce, resolveSettings } from '../src/indexing/settings.js'
import { tee } from '../src/indexing/tee.js'
import { parallel } from '../src/parallel.js'
import { cleanPrefetchPath, decodePrefetch, encodePrefetch, mergeSpans } from '../src/soci/prefetch.js'

describe('prefetch', () => {
  test('paths', () => {
    for (const [path, clean] of [
      [' /a//b/ ', 'a/b'],
      ['../a/./b/..', 'a'],
      ['/', ''],
      ['  ', ''],
      ['a b', 'a b'],
    ] as const)
      assert.equal(cleanPrefetchPath(path), clean)
  })

  test('spans that touch or overlap become one', () => {
    const ranges = [
      { first: 7, last: 7 },
      { first: 0, last: 1 },
      { first: 2, last: 2 },
      { first: 4, last: 9 },
      { first: 4, last: 5 },
    ]
    assert.deepEqual(mergeSpans(ranges), [
      { first: 0, last: 2 },
      { first: 4, last: 9 },
    ])
    const bytes = encodePrefetch(ranges)
    assert.equal(
      Buffer.from(bytes).toString(),
      '{"version":"1.0","prefetch_spans":[{"start_span":0,"end_span":2},{"start_span":4,"end_span":9}]}',
    )
    assert.deepEqual(decodePrefetch(bytes), mergeSpans(ranges))
  })

  test('what is not a prefetch artifact', () => {
    for (const text of [
      '',
      '1',
      'null',
      '{}',
      '{"version":"2.0","prefetch_spans":[{"start_span":0,"end_span":0}]}',
      '{"version":"1.0","prefetch_spans":[]}',
      '{"version":"1.0","prefetch_spans":[null]}',
      '{"version":"1.0","prefetch_spans":[{"start_span":0.5,"end_span":1}]}',
    ])
      assert.equal(decodePrefetch(Buffer.from(text)), undefined, text)
  })
})

test('memory bounds how many layers are indexed at once', () => {
  const jobs = [1 << 30, 100 << 20, 100 << 20, 1 << 20].map((size) => ({ descriptor: { size } }) as LayerJob)
  const atOnce = (memory?: number, concurrency = 8) => layersAtOnce(jobs, resolveSettings({ concurrency, memory }))
  assert.equal(atOnce(), 4)
  assert.equal(atOnce(undefined, 2), 2)
  assert.equal(atOnce(1), 1)
  assert.equal(atOnce(120 << 20), 2)
  assert.equal(atOnce(300 << 20), 4)
})

describe('parallel', () => {
  test('keeps the order, and at most so many at once', async () => {
    let running = 0
    let most = 0
    const results = await parallel([5, 1, 4, 2, 3], 2, undefined, async (n) => {
      most = Math.max(most, ++running)
      await new Promise((resolve) => setTimeout(resolve, n))
      running--
      return n * 10
    })
    assert.deepEqual(results, [50, 10, 40, 20, 30])
    assert.equal(most, 2)
    assert.deepEqual(await parallel([], 2, undefined, async () => 1), [])
  })

  test('the first error aborts the others, and comes when all have ended', async () => {
    const ended: number[] = []
    const first = new Error('first')
    const started: number[] = []
    const work = async (n: number, signal: AbortSignal) => {
      started.push(n)
      if (n === 2) throw first
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      ended.push(n)
      throw signal.reason
    }
    await assert.rejects(parallel([1, 2, 3, 4], 3, undefined, work), (error) => error === first)
    assert.deepEqual(ended, [1, 3])
    assert.deepEqual(started, [1, 2, 3])
  })
})

describe('tee', () => {
  async function* source(chunks: number): AsyncGenerator<Uint8Array> {
    for (let i = 0; i < chunks; i++) yield Uint8Array.of(i)
  }
  async function collect(content: AsyncIterable<Uint8Array>, into: number[], pause = 0): Promise<void> {
    for await (const chunk of content) {
      into.push(...chunk)
      if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause))
    }
  }
  const numbers = Array.from({ length: 20 }, (_, i) => i)

  for (const [name, slow] of [
    ['fast', 0],
    ['slow', 1],
  ] as const)
    test(`both get all, the sink being ${name}, even if the reader takes the chunk away`, async () => {
      const copy: number[] = []
      const read: number[] = []
      for await (const chunk of tee(source(20), (content) => collect(content, copy, slow))) {
        read.push(...chunk)
        structuredClone(chunk.buffer, { transfer: [chunk.buffer as ArrayBuffer] })
      }
      assert.deepEqual([read, copy], [numbers, numbers])
    })

  test('a sink that reads nothing does not block', async () => {
    const read: number[] = []
    await collect(
      tee(source(20), async () => {}),
      read,
    )
    assert.deepEqual(read, numbers)
  })

  test('what the sink throws is thrown', async () => {
    const failing = async (content: AsyncIterable<Uint8Array>) => {
      for await (const _ of content) throw new Error('disk full')
    }
    await assert.rejects(collect(tee(source(20), failing), []), /disk full/)
    await assert.rejects(
      collect(
        tee(source(0), async () => Promise.reject(new Error('disk full'))),
        [],
      ),
      /disk full/,
    )
  })

  test('the sink fails when the source does, or the reader stops', async () => {
    const outcomes: string[] = []
    const sink = async (content: AsyncIterable<Uint8Array>) => {
      try {
        await collect(content, [])
      } catch (error) {
        outcomes.push((error as Error).message)
        throw error
      }
    }
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield* source(2)
      throw new Error('network')
    }
    await assert.rejects(collect(tee(broken(), sink), []), /network/)
    for await (const _ of tee(source(20), sink)) break
    assert.deepEqual(outcomes, ['the other reader stopped', 'the other reader stopped'])
  })
})

test('eligible on Fargate or not, and why', () => {
  const lazy = { size: 300 << 20, lazy: true }
  const linux = { architecture: 'amd64', os: 'linux' }
  const image = '123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:1'
  const sound = { image, platform: linux, version: 'v2', problems: [], layers: [lazy] } as const
  assert.deepEqual(fargateEligibility(sound), {
    eligible: true,
    inEcr: true,
    reasons: [],
    notes: [],
  })
  const ofName = (name: string) => {
    const { eligible, inEcr, notes } = fargateEligibility({ ...sound, image: name })
    return [eligible, inEcr, notes.join()]
  }
  const note = 'the image must be in a private repository of Amazon ECR'
  for (const name of [
    'oci:image:app',
    'public.ecr.aws/x/app:1',
    'example.com/123456789012.dkr.ecr.eu-west-1.amazonaws.com/a:1',
  ])
    assert.deepEqual(ofName(name), [true, false, note])
  assert.deepEqual(ofName('123456789012.dkr-ecr.eu-west-1.on.aws/app:1'), [true, true, ''])
  const reason = (change: Partial<Parameters<typeof fargateEligibility>[0]>) =>
    fargateEligibility({ ...sound, ...change }).reasons.join()
  assert.match(reason({ platform: { architecture: 's390x', os: 'linux' } }), /only linux\/amd64 and linux\/arm64/)
  assert.match(reason({ platform: { architecture: 'amd64', os: 'windows' } }), /windows\/amd64/)
  assert.equal(reason({ platform: { architecture: 'aarch64', os: 'linux', variant: 'v8' } }), '')
  assert.match(reason({ version: 'v1' }), /v1, which new accounts cannot use/)
  assert.match(reason({ version: undefined }), /no SOCI index/)
  assert.match(reason({ layers: [{ size: 1, lazy: false }] }), /covers none/)
  assert.equal(reason({ problems: ['broken'] }), 'broken')
  const notes = fargateEligibility({
    ...sound,
    layers: [
      { size: 5, lazy: true },
      { size: 6, lazy: false },
    ],
  }).notes
  assert.match(
    notes.join('\n'),
    /11 B; lazy loading is recommended from 250 MiB.*\n6 B of 11 B are in layers without a zTOC/s,
  )
})
