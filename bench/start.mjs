// How soon a command answers: what a small layer and no layer at all cost.
import { benchInputs } from './inputs.mjs'
import { compare } from './measure.mjs'
import { sociable } from './sociable.mjs'
import { megabytes, seconds, table } from './table.mjs'

const VERSION = '`sociable --version`'
const ZTOC = '`sociable ztoc` of a layer of 10 MB'
const NODE = '`node -e 0`, for comparison'

/** @returns {Promise<{ text: string, data: object, goals: [string, boolean][] }>} as `benchLayers` */
export async function benchStart({ rounds, log }) {
  const { small } = await benchInputs(log)
  const contenders = [
    { name: VERSION, command: [...sociable, '--version'] },
    { name: ZTOC, command: [...sociable, 'ztoc', '--quiet', small.path] },
    { name: NODE, command: [process.execPath, '-e', '0'] },
  ]
  const result = await compare(contenders, { rounds: rounds * 3, log: (text) => log(`start, ${text}`) })
  const rows = Object.entries(result).map(([name, sample]) => [
    name,
    seconds(sample.seconds),
    seconds(sample.cpu),
    megabytes(sample.memory),
  ])
  const goal = (name, limit) => {
    const wall = result[name].seconds
    return [`start: ${name} under ${seconds(limit)}: ${seconds(wall)}`, wall < limit]
  }
  const text = `**Start**\n\n${table(['', 'wall', 'CPU', 'peak RSS'], rows)}`
  return { text, data: { result }, goals: [goal(VERSION, 0.15), goal(ZTOC, 0.4)] }
}
