// A whole image, layout to layout: `sociable convert` against the reference's `soci convert --standalone`.
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { buildSoci } from '../conformance/build.mjs'
import { benchInputs } from './inputs.mjs'
import { compare, sameAnswer } from './measure.mjs'
import { sociable } from './sociable.mjs'
import { megabytes, seconds, table, times } from './table.mjs'

const OURS = 'sociable convert'
const REFERENCE = 'soci convert --standalone'

/** @returns {Promise<{ text: string, data: object, goals: [string, boolean][] }>} as `benchLayers` */
export async function benchImage({ rounds, temporary, log }) {
  const { image, layers } = await benchInputs(log)
  const { contenders, missing } = contendersFor(image, temporary)
  const result = await compare(contenders, { rounds, log: (text) => log(`image, ${text}`) })
  const size = imageSize(image)
  const biggest = layers[0].size
  const goals = [[`image: peak RSS at most 200 MB: ${megabytes(result[OURS].memory)}`, result[OURS].memory <= 200e6]]
  if (result[REFERENCE]) {
    const wall = result[REFERENCE].seconds / result[OURS].seconds
    const cpu = result[REFERENCE].cpu / result[OURS].cpu
    goals.push([`image: at least 6 × faster than the reference: ${times(wall)}`, wall >= 6])
    goals.push([`image: at least 4.5 × less CPU time: ${times(cpu)}`, cpu >= 4.5])
  }
  const title = `**An image** of ${megabytes(size)} compressed, a layer of ${megabytes(biggest)} among them, layout to layout`
  const text = [title, describe(result), ...missing.map((reason) => `Left out: ${reason}.`)].join('\n\n')
  return { text, data: { size, biggest, result }, goals }
}

function contendersFor(image, temporary) {
  const check = sameAnswer()
  const outputOf = (name) => {
    const output = join(temporary, name)
    return { output, before: () => rmSync(output, { recursive: true, force: true }) }
  }
  const ours = outputOf('sociable')
  const options = ['--build-tool', 'AWS SOCI CLI v0.2', '--quiet']
  const contenders = [
    {
      name: OURS,
      command: [...sociable, 'convert', ...options, `oci:${image}:latest`, `oci:${ours.output}`],
      before: ours.before,
      check: () => check(OURS, digestOf(ours.output)),
    },
  ]
  try {
    const soci = buildSoci()
    const theirs = outputOf('soci')
    const convert = ['convert', '--standalone', '--format', 'oci-dir', '--all-platforms']
    contenders.push({
      name: REFERENCE,
      command: [soci, ...convert, image, theirs.output],
      before: theirs.before,
      check: () => check(REFERENCE, digestOf(theirs.output)),
    })
    return { contenders, missing: [] }
  } catch (error) {
    return { contenders, missing: [error.message] }
  }
}

function digestOf(layout) {
  return JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8')).manifests.at(-1).digest
}

function imageSize(layout) {
  const read = (file) => JSON.parse(readFileSync(join(layout, file), 'utf8'))
  const manifest = read(`blobs/${read('index.json').manifests[0].digest.replace(':', '/')}`)
  return manifest.layers.reduce((sum, layer) => sum + layer.size, 0)
}

function describe(result) {
  const heading = ['', 'wall', 'CPU', 'peak RSS', 'wall, ours = 1', 'CPU, ours = 1']
  const rows = Object.entries(result).map(([name, sample]) => [
    name,
    seconds(sample.seconds),
    seconds(sample.cpu),
    megabytes(sample.memory),
    times(sample.seconds / result[OURS].seconds),
    times(sample.cpu / result[OURS].cpu),
  ])
  return table(heading, rows)
}
