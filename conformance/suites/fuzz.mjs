// Seeded random layers, small: the same verdict and zTOC, and every file read back right through ours.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { decodeZtoc, readFile } from '../../packages/ztoc/dist/src/index.js'
import { fuzzLayer } from '../lib/fuzz.mjs'
import { ask } from '../lib/oracle.mjs'
import { difference, judgeLayer } from '../lib/ours.mjs'

export const name = 'random layers'

export async function run({ oracle, folder, seed, count, check, log }) {
  const seeds = Array.from({ length: count }, (_, i) => seed + i)
  const questions = seeds.map((own) => {
    const { layer, ...question } = fuzzLayer(own)
    const path = join(folder, `${own}`)
    writeFileSync(path, layer)
    return { ...question, layer: path, extract: -1 }
  })
  const answers = await ask(oracle, 'ztoc', questions)
  const verdicts = {}
  for (const [i, own] of seeds.entries()) {
    const { layer, ...question } = fuzzLayer(own)
    const ours = await judgeLayer(pieces(layer, own), question)
    verdicts[answers[i].verdict] = (verdicts[answers[i].verdict] ?? 0) + 1
    let problem = difference(answers[i], ours)
    if (problem === undefined && ours.verdict === 'loads') problem = await misread(layer, question, ours.ztoc)
    check(`layer of seed ${own}`, problem)
  }
  log(
    `${count} layers from seed ${seed}: ${Object.entries(verdicts)
      .map(([verdict, n]) => `${n} ${verdict}`)
      .join(', ')}`,
  )
}

/** The layer in pieces of a size that depends on the seed. */
async function* pieces(layer, seed) {
  const size = [layer.length || 1, 1 + (seed % 7), 512, 16384][seed % 4]
  for (let at = 0; at < layer.length; at += size) yield layer.subarray(at, at + size)
}

/** Reads every file through the zTOC and compares with the tar. */
async function misread(layer, { compression }, { pieces: encoded }) {
  const ztoc = decodeZtoc(new Uint8Array(Buffer.concat(encoded)))
  let tar = layer
  if (compression === 'gzip') {
    try {
      tar = gunzipSync(layer)
    } catch {
      return undefined // a zlib stream after the last member: Node does not read it
    }
  }
  for (const file of ztoc.files) {
    // a zTOC does not hold every sparse map, so ours reads no sparse file, not even one without holes
    if (file.type !== 'reg' || file.paxRecords.some(({ key }) => key.startsWith('GNU.sparse.'))) continue
    const read = []
    for await (const piece of readFile(ztoc, file, async (start, end) => layer.subarray(start, end))) read.push(piece)
    const expected = tar.subarray(file.offset, file.offset + file.size)
    if (Buffer.compare(Buffer.concat(read), expected) !== 0)
      return `${JSON.stringify(file.name)} is read back otherwise than it stands in the tar`
  }
  return undefined
}
