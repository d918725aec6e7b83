// How soon a container runs, with the real containerd and the real SOCI snapshotter over a link: whole pulls, a plain SOCI index,
// and images converted with profiles.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { constants, setPriority } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startDockerRegistry } from '../../packages/oci/dist/test/doubles/real-registries.js'
import { megabytes, table } from '../table.mjs'
import { compareStarts } from './compare.mjs'
import { compareConversions } from './conversion.mjs'
import { startupImages } from './images.mjs'
import { startupParts } from './parts.mjs'
import { FULL, PLAIN, STATIC, startupVariants, TRACED } from './variants.mjs'

/** Bytes a second, milliseconds of a round trip. */
const LINKS = {
  60: { name: '60 MB/s and 3 ms', bytesPerSecond: 60e6, roundTrip: 3 },
  250: { name: '250 MB/s and 1 ms', bytesPerSecond: 250e6, roundTrip: 1 },
}

/** At most these shares of what the plain index of the same image takes in the same run; `growth`: of the image's own layers. */
const GOALS = {
  small: { line: { 60: 0.48, 250: 0.55 }, static: { 60: 0.55 }, bytes: 0.45, growth: 0.13 },
  large: { line: { 60: 0.55, 250: 0.7 }, static: { 60: 0.7 }, bytes: 0.45, growth: 0.1 },
}

/**
 * @param {{ images?: readonly string[], links?: readonly string[] }} options `images`: of `small`, `large`; `links`: of `60`, `250`
 * @returns {Promise<{ text: string, data: object, goals: [string, boolean][] }>} as `benchLayers`
 */
export async function benchStartup({ rounds, temporary, log, images = ['small', 'large'], links = ['60', '250'] }) {
  for (const name of images)
    if (!GOALS[name]) throw new Error(`no image ${name}; there are ${Object.keys(GOALS).join(', ')}`)
  for (const name of links)
    if (!LINKS[name]) throw new Error(`no link ${name}; there are ${Object.keys(LINKS).join(', ')}`)
  log('startup: build containerd, the snapshotter and the client')
  const parts = startupParts()
  const made = (await startupImages(['small', 'large'], log)).filter(({ name }) => images.includes(name))
  const ends = [prefer()]
  const texts = []
  const data = {}
  const goals = []
  try {
    process.env.TMPDIR = temporary // the registry's folder
    const registry = await startDockerRegistry({ after: (end) => ends.push(end), skip: (reason) => log(reason) })
    if (registry === undefined) throw new Error('start-up needs docker-registry')
    const folder = join(temporary, 'profiles')
    mkdirSync(folder)
    for (const image of made) {
      const variants = await startupVariants(image, {
        parts,
        registry: registry.host,
        folder,
        log: (text) => log(`startup: ${text}`),
      })
      const conversion = await compareConversions(image, join(folder, `${image.name}.json`), {
        temporary,
        rounds,
        log: (text) => log(`startup, ${image.name}, conversion, ${text}`),
      })
      data[image.name] = { size: image.size, variants, conversion: conversion.data, links: {} }
      for (const key of links) {
        const { name, bytesPerSecond, roundTrip } = LINKS[key]
        const link = await startLink(registry.host, bytesPerSecond, roundTrip, ends)
        const where = `startup, ${image.name}, ${name}`
        const result = await compareStarts(variants, {
          parts,
          link,
          repository: image.name,
          rounds,
          log: (text) => log(`${where}: ${text}`),
        })
        data[image.name].links[key] = result
        texts.push(`**Start-up** of the ${image.name} image, ${megabytes(image.size)} compressed, over ${name}`)
        texts.push(describe(variants, result, image.size))
        goals.push(...goalsOf(image, key, variants, result))
      }
      texts.push(conversion.text)
      goals.push(...conversion.goals)
    }
  } finally {
    for (const end of ends.reverse()) await end()
  }
  return { text: texts.join('\n\n'), data, goals }
}

/**
 * Gives all that is started from here on the highest priority, so that other programs matter little. With the scheduler's autogroups
 * that takes the session's priority, too. Gives what ends that.
 */
function prefer() {
  const session = (nice) => {
    if (existsSync('/proc/self/autogroup')) writeFileSync('/proc/self/autogroup', String(nice))
  }
  setPriority(constants.priority.PRIORITY_HIGHEST)
  session(constants.priority.PRIORITY_HIGHEST)
  return () => session(constants.priority.PRIORITY_NORMAL)
}

async function startLink(target, bytesPerSecond, roundTrip, ends) {
  const path = fileURLToPath(new URL('../between.mjs', import.meta.url))
  const child = fork(path, ['link', target, String(bytesPerSecond), String(roundTrip)])
  ends.push(async () => {
    const ended = once(child, 'exit')
    child.kill()
    await ended
  })
  const [{ host }] = await once(child, 'message')
  const counts = async () => {
    const answer = once(child, 'message')
    child.send('counts')
    return (await answer)[0]
  }
  return { host, counts }
}

function describe(variants, result, size) {
  const plain = result[PLAIN]
  const rows = variants.map(({ name, growth, ztocs }) => {
    const sample = result[name]
    return [
      name,
      decimals(sample.line),
      decimals(sample.line / plain.line),
      decimals(sample.answer),
      decimals(sample.second),
      megabytes(sample.bytes),
      decimals(sample.bytes / plain.bytes),
      percent(growth / size),
      ztocs === undefined ? '' : `${(ztocs / 1e6).toFixed(1)} MB`,
    ]
  })
  rows.push(['floor: everything is there, second container', decimals(result[FULL].second), '', '', '', '', '', '', ''])
  const heading = [
    '',
    'first line, s',
    'plain = 1',
    'first HTTP 200, s',
    'second start, s',
    'fetched',
    'plain = 1',
    'growth',
    'zTOCs',
  ]
  return table(heading, rows)
}

function goalsOf({ name, size }, key, variants, result) {
  const goals = []
  const wanted = GOALS[name]
  const where = `startup: ${name} image, ${LINKS[key].name}`
  const goal = (text, limit, found, show) => {
    if (limit !== undefined && !Number.isNaN(found))
      goals.push([`${where}: ${text} ≤ ${show(limit)}: ${show(found)}`, found <= limit])
  }
  const share = (variant, field) => result[variant]?.[field] / result[PLAIN][field]
  goal('first line, traced', wanted.line[key], share(TRACED, 'line'), decimals)
  goal('first line, static', wanted.static[key], share(STATIC, 'line'), decimals)
  goal('bytes, traced', wanted.bytes, share(TRACED, 'bytes'), decimals)
  goal('growth, traced', wanted.growth, variants.find((variant) => variant.name === TRACED).growth / size, percent)
  return goals
}

const decimals = (value) => value.toFixed(2)
const percent = (value) => `${(value * 100).toFixed(1)} %`
