// What a profile costs: `sociable convert` with one beside `convert` without, from layout to layout, and a second time.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { compare } from '../measure.mjs'
import { sociable } from '../sociable.mjs'
import { megabytes, seconds, table, times } from '../table.mjs'

const PLAIN = '`sociable convert`'
const PROFILED = '`sociable convert --profile`'
const AGAIN = '`sociable convert --profile` once more'

/**
 * @param {{ name: string, layout: string }} image
 * @param {string} profile path
 * @returns {Promise<{ text: string, data: object, goals: [string, boolean][] }>} as `benchLayers`
 */
export async function compareConversions(image, profile, { temporary, rounds, log }) {
  const contender = (name, folder, options, fresh) => {
    const output = join(temporary, `${image.name}-${folder}`)
    const [source, target] = [`oci:${image.layout}:latest`, `oci:${output}:latest`]
    const before = () => fresh && rmSync(output, { recursive: true, force: true })
    return { name, command: [...sociable, 'convert', '--quiet', ...options, source, target], before }
  }
  const contenders = [
    contender(PLAIN, 'plain', [], true),
    contender(PROFILED, 'profiled', ['--profile', profile], true),
    contender(AGAIN, 'again', ['--profile', profile], false),
  ]
  const result = await compare(contenders, { rounds, log })
  const rows = Object.entries(result).map(([name, sample]) => [
    name,
    seconds(sample.seconds),
    seconds(sample.cpu),
    megabytes(sample.memory),
    times(sample.seconds / result[PLAIN].seconds),
  ])
  const ratio = result[PROFILED].seconds / result[PLAIN].seconds
  const again = result[AGAIN].seconds
  const where = `startup: ${image.name} image`
  return {
    text: `**Conversion** of the ${image.name} image, layout to layout\n\n${table(['', 'wall', 'CPU', 'peak RSS', 'wall, without = 1'], rows)}`,
    data: result,
    goals: [
      [`${where}: a profile makes convert take ≤ 1.25 ×: ${times(ratio)}`, ratio <= 1.25],
      [`${where}: convert with a profile once more < 2 s: ${seconds(again)}`, again < 2],
    ],
  }
}
