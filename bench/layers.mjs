// Single layers: our whole pipeline (decode, checkpoints, CRC, layer and span digests, tar, zTOC) against programs that only
// unpack, the fastest indexer there is (without digests and tar), and the reference's zTOC builder.
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildOracle } from '../conformance/build.mjs'
import { ensure } from '../scripts/tools.mjs'
import { benchInputs } from './inputs.mjs'
import { compare, sameAnswer } from './measure.mjs'
import { megabytes, seconds, table, times } from './table.mjs'

const worker = fileURLToPath(new URL('layer-worker.mjs', import.meta.url))
const ONE = 'sociable, 1 thread'
const TWO = 'sociable, 2 threads'
const REFERENCE = 'reference BuildZtoc'
const BUILD_TOOL = 'AWS SOCI CLI v0.2' // the reference's, so that the digests must be equal

/** @returns {Promise<{ text: string, data: object, goals: [string, boolean][] }>} Markdown, the same in numbers, what was to be reached */
export async function benchLayers({ rounds, layers: wanted, temporary, log }) {
  const { layers } = await benchInputs(log)
  const { tools, missing } = findTools()
  const texts = []
  const data = {}
  const goals = []
  for (const layer of layers.filter(({ name }) => wanted === undefined || wanted.includes(name))) {
    const contenders = contendersFor(layer.path, tools, temporary)
    const result = await compare(contenders, { rounds, log: (text) => log(`layer ${layer.name}, ${text}`) })
    texts.push(describe(layer, result))
    data[layer.name] = { size: layer.size, unpacked: layer.unpacked, files: layer.files, result }
    goals.push(...judge(layer.name, result))
  }
  return { text: [...texts, ...missing.map((reason) => `Left out: ${reason}.`)].join('\n\n'), data, goals }
}

function findTools() {
  const tools = {}
  const missing = []
  const wanted = { gzip: ensure, igzip: ensure, rapidgzip: ensure, oracle: buildOracle }
  for (const [name, get] of Object.entries(wanted)) {
    try {
      tools[name] = get(name)
    } catch (error) {
      missing.push(error.message)
    }
  }
  return { tools, missing }
}

function contendersFor(path, { gzip, igzip, rapidgzip, oracle }, temporary) {
  const check = sameAnswer()
  const ours = (name, threads) => ({
    name,
    command: [process.execPath, worker, path, threads, BUILD_TOOL],
    check: (stdout) => {
      const answer = JSON.parse(stdout)
      check(name, answer.digest)
      return { inside: answer.seconds }
    },
  })
  const list = [ours(ONE, '1'), ours(TWO, '2')]
  if (gzip) list.push({ name: 'gzip -dc', command: [gzip, '-dc', path] })
  if (igzip) list.push({ name: 'igzip -dc', command: [igzip, '-dc', path] })
  if (rapidgzip) {
    const index = ['--export-index', join(temporary, 'index')]
    list.push({ name: 'rapidgzip -P 2 --export-index', command: [rapidgzip, '-f', '-P', '2', ...index, path] })
  }
  if (oracle) {
    const request = { layer: path, compression: 'gzip', spanSize: 4 << 20, buildTool: BUILD_TOOL, buildOnly: true }
    list.push({
      name: REFERENCE,
      command: [oracle, 'ztoc'],
      input: `${JSON.stringify(request)}\n`,
      check: (stdout) => void check(REFERENCE, JSON.parse(stdout).digest),
    })
  }
  return list
}

function describe({ name, size, unpacked, files }, result) {
  const heading = [
    '',
    'wall',
    'without start',
    'MB/s',
    'CPU',
    'peak RSS',
    'speed, `gzip -dc` = 1',
    'speed, `igzip -dc` = 1',
  ]
  const speed = (other, sample) => (result[other] ? times(result[other].seconds / sample.seconds) : '–')
  const rows = Object.entries(result).map(([contender, sample]) => [
    contender,
    seconds(sample.seconds),
    sample.inside === undefined ? '' : seconds(sample.inside),
    (unpacked / 1e6 / sample.seconds).toFixed(0),
    seconds(sample.cpu),
    megabytes(sample.memory),
    speed('gzip -dc', sample),
    speed('igzip -dc', sample),
  ])
  const title = `**${name}**: ${megabytes(size)}, unpacked ${megabytes(unpacked)}, ${files} files`
  return `${title}\n\n${table(heading, rows)}`
}

function judge(layer, result) {
  const goal = (text, least, slower, faster) => {
    if (!result[slower]) return []
    const factor = result[slower].seconds / result[faster].seconds
    return [[`${layer}: ${faster} at least ${least} × ${text}: ${factor.toFixed(2)} ×`, factor >= least]]
  }
  return [...goal('`gzip -dc`', 2.5, 'gzip -dc', ONE), ...goal('`igzip -dc`', 0.8, 'igzip -dc', TWO)]
}
