// The process is killed (SIGKILL) in the middle of a convert, at moments that a seed chooses. The tag in the registry is what it was or what
// it should be, all that it names is there, and the next run finishes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { convert, copyImage, inspect } from '../../src/index.js'
import { again, chance, seeds } from '../support/chance.js'
import { TestFolder } from '../support/folder.js'
import { type Kind, startRegistry } from '../support/registries.js'
import { AMD64, layer, NAMED_APP, SMALL, twoPlatforms } from '../support/samples.js'
import { finished, run, start } from './run.js'

const folder = new TestFolder()
const KINDS: readonly Kind[] = ['docker-registry', 'our own']
const FLAGS = ['--min-layer-size', String(SMALL.minLayerSize), '--span-size', String(SMALL.spanSize)]
const RUNS = 5

for (const kind of KINDS)
  test(`${kind}: a convert that is killed`, async (t) => {
    const registry = await startRegistry(t, kind)
    if (registry === undefined) return
    const { host, proxy } = registry
    const input = `oci:${folder.layout(twoPlatforms)}:app`
    const former = `oci:${folder.layout((layout) => layout.top(layout.manifest([layer(layout, 'former')], AMD64, NAMED_APP)))}:app`
    /** A repository with the image as `1`, and the former one's SOCI image as the tag that is going to be replaced. */
    const prepare = async (repository: string) => {
      const image = `${host}/${repository}:1`
      await copyImage(input, image)
      const { digest } = await convert(former, `${image}-soci`, SMALL)
      return { image, digest }
    }
    const convertArgs = (image: string) => ['convert', image, ...FLAGS]

    const whole = await prepare('whole')
    const from = proxy.requests.length
    const ended = await run(convertArgs(whole.image))
    assert.equal(ended.status, 0, ended.err)
    const requests = proxy.requests.length - from
    const after = ended.out.trim().split('@')[1]!

    let unfinished = 0
    const all = seeds(RUNS)
    for (const seed of all) {
      const luck = chance(seed)
      const { image, digest } = await prepare(`run-${seed}`)
      // The moments are spread over the run's requests, so that they fall where something is being done, however slow the machine is
      const at = proxy.requests.length + 1 + luck.below(requests, 'request')
      const delay = luck.below(4, 'delay')
      const child = start(convertArgs(image))
      proxy.setFault(({ number }) => {
        if (number === at) void sleep(delay).then(() => child.kill('SIGKILL'))
        return undefined
      })
      const { signal } = await finished(child)
      proxy.setFault(undefined)
      const found = await inspect(`${image}-soci`)
      assert.ok([digest, after].includes(found.digest), `${again(seed)}: the tag has become ${found.digest}`)
      assert.deepEqual(
        found.images.flatMap(({ problems }) => problems),
        [],
        again(seed),
      )
      if (signal === 'SIGKILL' && found.digest === digest) unfinished++
      const next = await run(convertArgs(image))
      assert.equal(next.status, 0, `${again(seed)}: ${next.err}`)
      assert.equal(next.out.trim(), `${image}-soci@${after}`, again(seed))
      assert.deepEqual((await inspect(`${image}-soci`)).images, (await inspect(`${whole.image}-soci`)).images)
    }
    if (all.length >= RUNS) assert.ok(unfinished >= RUNS / 2, `only ${unfinished} of ${RUNS} were killed in time`)
  })
