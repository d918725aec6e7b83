// Layers of many megabytes: what is on this machine, archived and compressed by whatever tools are here.
import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, createReadStream, existsSync, openSync, rmSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LayerIndexer } from '../../packages/ztoc/dist/src/index.js'
import { ask } from '../lib/oracle.mjs'
import { difference, judgeLayer } from '../lib/ours.mjs'

export const name = 'large layers'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** [name, how a tar comes from the list of files in $LIST] */
const archivers = [
  ['gnu', 'tar', 'tar --format=gnu --sort=name -cf - -T $LIST'],
  ['pax', 'tar', 'tar --format=posix --sort=name -cf - -T $LIST'],
  ['bsdtar', 'bsdtar', 'bsdtar --format pax -cf - -T $LIST'],
]

/** [tool, command from stdin to stdout]; `oracle` stands for the Go libraries. */
const compressors = [
  ['gzip', 'gzip -1n'],
  ['gzip', 'gzip -6n'],
  ['pigz', 'pigz -p2 -b128 -nT'],
  ['pigz', 'pigz -p2 -i -nT'],
  ['bgzip', 'bgzip -c'],
  ['igzip', 'igzip -1'],
  ['igzip', 'igzip -3'],
  ['libdeflate-gzip', 'libdeflate-gzip -6 -c $IN'],
  ['libdeflate-gzip', 'libdeflate-gzip -1 -c $IN'],
  ['zstd', 'zstd -q --format=gzip -c'],
  ['7z', '7z a -tgzip -si -so -mx=5 -an'],
  ['python3', "python3 -c 'import sys,gzip; sys.stdout.buffer.write(gzip.compress(sys.stdin.buffer.read(),6))'"],
  ['perl', 'perl -MIO::Compress::Gzip=gzip -e \'gzip "-" => "-"\''],
  ['node', 'node -e \'process.stdin.pipe(require("zlib").createGzip()).pipe(process.stdout)\''],
  ['oracle', { library: 'go', level: 6 }],
  ['oracle', { library: 'klauspost', level: 1 }],
  ['oracle', { library: 'klauspost', level: 6 }],
  ['oracle', { library: 'pgzip', level: 6 }],
  ['oracle', { library: 'pgzip', level: 5, blockSize: 1 << 20 }],
]

export async function run({ oracle, folder, quick, check, log }) {
  const limit = (quick ? 10 : 60) << 20
  const layers = []
  for (const [source, find] of Object.entries(sources(quick))) {
    const list = join(folder, 'list')
    shell(`${find} > ${list}`)
    if (statSync(list).size === 0) continue
    for (const [format, tool, command] of archivers) {
      if (!has(tool) || (quick && format === 'bsdtar')) continue
      const tar = join(folder, `${source}-${format}.tar`)
      cut(command.replace('$LIST', list), tar, limit)
      layers.push({ layer: tar, about: `${source} by ${format}`, compression: 'uncompressed' })
    }
  }
  const tars = layers.map(({ layer }) => layer)
  for (const [i, [tool, command]] of compressors.entries()) {
    if (tool !== 'oracle' && !has(tool)) continue
    const chosen = quick ? [tars[i % tars.length]] : tars
    for (const tar of chosen) {
      const layer = `${tar}.${i}.gz`
      const say = typeof command === 'string' ? command : JSON.stringify(command)
      if (tool === 'oracle') {
        const [{ error }] = await ask(oracle, 'gzip', [{ ...command, input: tar, output: layer }])
        if (error) throw new Error(error)
      } else shell(`${command.replace('$IN', tar)} < ${tar} > ${layer}`)
      layers.push({ layer, about: `${tar.slice(folder.length + 1)} by ${say}`, compression: 'gzip' })
    }
  }
  let bytes = 0
  const indexer = new LayerIndexer({ concurrency: 1 })
  try {
    for (const [i, { layer, about, compression }] of layers.entries()) {
      bytes += statSync(layer).size
      const spanSizes = [4194304, [1 << 20, 300_000, 1 << 16, 7 << 20][i % 4]]
      const questions = spanSizes.map((spanSize) => ({ compression, spanSize, buildTool: 'AWS SOCI CLI v0.2' }))
      const answers = await ask(
        oracle,
        'ztoc',
        questions.map((q) => ({ ...q, layer, extract: 20 })),
        { timeout: 300_000 },
      )
      for (const [k, question] of questions.entries()) {
        const index = k === 0 ? (source, options) => indexer.index(source, options) : undefined
        const ours = await judgeLayer(createReadStream(layer), question, index)
        check(`${about}, spans of ${question.spanSize}`, difference(answers[k], ours))
      }
      check(
        `${about}: our own zTOC in the reference's decoder`,
        await loads(oracle, indexer, layer, compression, folder),
      )
      if (compression === 'gzip') rmSync(layer)
    }
  } finally {
    await indexer.close()
  }
  log(`${layers.length} layers, ${Math.round(bytes / 2 ** 20)} MiB`)
}

/** Has the reference decode and extract through the zTOC that we make under our own name. */
async function loads(oracle, indexer, layer, compression, folder) {
  const { ztoc } = await indexer.index(createReadStream(layer), { compression, spanSize: 1 << 20 })
  const path = join(folder, 'ours.ztoc')
  const file = openSync(path, 'w')
  for (const piece of ztoc.pieces) writeSync(file, piece)
  closeSync(file)
  const [{ verdict, error, digest }] = await ask(oracle, 'load', [{ ztoc: path, layer, extract: 20 }], {
    timeout: 300_000,
  })
  if (verdict !== 'loads') return `${verdict}: ${error}`
  return digest === ztoc.digest ? undefined : `the file has digest ${digest}, indexLayer said ${ztoc.digest}`
}

/** Commands that print the names of files to archive, one a line, by the source's name. */
function sources(quick) {
  const all = {
    usr: 'find /usr/share /usr/lib -xdev \\( -type f -o -type l \\) -not -name "*.pyc" | LC_ALL=C sort | awk "NR % 7 == 0"',
  }
  if (existsSync(join(root, 'node_modules'))) all.modules = `find ${join(root, 'node_modules')} | LC_ALL=C sort`
  if (!quick) all.binaries = `echo ${process.execPath}`
  return all
}

/** Writes at most `limit` bytes of what the command prints, ended like a tar where it is cut: an entry without its data is refused. */
function cut(command, to, limit) {
  shell(`(${command} 2> /dev/null || true) > ${to}`)
  if (statSync(to).size <= limit) return
  // a tar is cut where an entry begins: GNU tar tells the blocks
  const blocks = shell(
    `tar -tvRf ${to} 2> /dev/null | awk '/^block [0-9]+:/ { sub(":", "", $2); if ($2 * 512 <= ${limit}) last = $2 } END { print last }'`,
  )
  shell(`truncate -s ${Number(blocks) * 512} ${to} && head -c 1024 /dev/zero >> ${to}`)
}

function shell(script) {
  return execFileSync('bash', ['-o', 'pipefail', '-c', script], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

function has(tool) {
  return spawnSync('which', [tool]).status === 0
}
