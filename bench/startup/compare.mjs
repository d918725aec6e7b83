// Starts images side by side over a link, round after round, each variant once a round.
import { spawnSync } from 'node:child_process'
import { median } from '../measure.mjs'
import { coldStart } from './measure.mjs'

/**
 * @typedef {object} Variant
 * @property {string} name
 * @property {string} tag the image's, in the registry
 * @property {string} [snapshotter] as coldStart's
 * @property {number} [lazy] layers that must be mounted lazily: the snapshotter falls back to a whole pull silently
 */

/**
 * @typedef {{ line: number, answer: number, second: number, pulled: number, bytes: number, bytesAnswered: number }} Sample
 *   seconds from the pull's begin to the first line, the first answer over HTTP and the pull's end; of a second start to its line;
 *   bytes through the link until the first line (`bytesAnswered`: the first answer)
 */

/**
 * Medians by variant's name.
 * @param {readonly Variant[]} variants
 * @returns {Promise<Record<string, Sample & { samples: Sample[] }>>}
 */
export async function compareStarts(variants, { parts, link, repository, rounds, log = () => {} }) {
  const samples = new Map(variants.map(({ name }) => [name, []]))
  for (let round = 1; round <= rounds; round++) {
    const order = round % 2 === 0 ? [...variants].reverse() : variants
    for (const variant of order) {
      spawnSync('sync') // what the one before wrote must not be written at this one's cost
      const sample = await startOnce(variant, { parts, link, repository })
      log(
        `round ${round} of ${rounds}: ${variant.name}: ${sample.line.toFixed(2)} s, ${(sample.bytes / 1e6).toFixed(0)} MB`,
      )
      samples.get(variant.name).push(sample)
    }
  }
  return Object.fromEntries([...samples].map(([name, list]) => [name, { ...medians(list), samples: list }]))
}

async function startOnce({ name, tag, snapshotter, lazy }, { parts, link, repository }) {
  const counted = {}
  const events = await coldStart({
    parts,
    image: `${link.host}/${repository}:${tag}`,
    snapshotter,
    serve: true,
    second: true,
    async onEvent({ event }) {
      counted[event] = await link.counts()
    },
  })
  const found = events.pulled.lazy
  if (lazy !== undefined && found !== lazy)
    throw new Error(`${name}: ${found} layers were mounted lazily in place of ${lazy}: the snapshotter has fallen back`)
  const before = counted.pulled.down + counted['first-started'].down
  const bytes = before + counted['first-line'].down
  return {
    pulled: events.pulled.seconds,
    line: events['first-line'].seconds,
    answer: events['first-answer'].seconds,
    second: events['second-line'].seconds,
    bytes,
    bytesAnswered: bytes + counted['first-answer'].down,
  }
}

function medians(samples) {
  return Object.fromEntries(
    Object.keys(samples[0]).map((field) => [field, median(samples.map((sample) => sample[field]))]),
  )
}
