// Peak memory where it must grow: layers of many files and of many unpacked bytes.
import { benchInputs } from './inputs.mjs'
import { compare } from './measure.mjs'
import { millionFiles } from './million-files.mjs'
import { sociable } from './sociable.mjs'
import { megabytes, seconds, table } from './table.mjs'

/** Bytes: what a run may take, whatever is in the layer; per GB unpacked (windows of 32 KiB a span); per file. */
const allowed = ({ unpacked, files }) => 120e6 + 10e6 * (unpacked / 1e9) + 400 * files

/** @returns {Promise<{ text: string, data: object, goals: [string, boolean][] }>} as `benchLayers` */
export async function benchMemory({ log }) {
  const { layers } = await benchInputs(log)
  const inputs = [{ name: 'million', ...(await millionFiles(log)) }, ...layers]
  const contenders = inputs.map(({ name, path }) => ({ name, command: [...sociable, 'ztoc', '--quiet', path] }))
  const result = await compare(contenders, { rounds: 1, log: (text) => log(`memory, ${text}`) })
  const rows = inputs.map((layer) => [
    layer.name,
    layer.files,
    megabytes(layer.unpacked),
    seconds(result[layer.name].seconds),
    megabytes(result[layer.name].memory),
    megabytes(allowed(layer)),
  ])
  const heading = ['layer', 'files', 'unpacked', 'wall', 'peak RSS', 'at most']
  const goals = inputs.map((layer) => {
    const { memory } = result[layer.name]
    const limit = layer.name === 'million' ? Math.min(allowed(layer), 500e6) : allowed(layer)
    return [`memory: ${layer.name} at most ${megabytes(limit)}: ${megabytes(memory)}`, memory <= limit]
  })
  return { text: `**Memory** of \`sociable ztoc\`\n\n${table(heading, rows)}`, data: { result }, goals }
}
