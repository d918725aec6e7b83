// `node bench/profiles/profiles.mjs [NAME…]`: a table of what `sociable profile --static` finds of what the starts of six images read.
// Needs Linux, root, strace and umoci. The images are made once, under .cache/profiles.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { table } from '../table.mjs'
import { coverage } from './coverage.mjs'
import { profileImages } from './images.mjs'

/** A start that goes on longer is ended. */
const SECONDS = 30

const cache = fileURLToPath(new URL('../../.cache/profiles/', import.meta.url))
const names = process.argv.slice(2)
const images = await profileImages(cache, undefined, names.length > 0 ? names : undefined)
const rows = []
for (const { name, layout } of images) {
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(join(cache, 'run-'))
  try {
    const { traced, share, excess, missing, extra } = await coverage(layout, folder, SECONDS)
    rows.push([name, megabytes(traced), percent(share), percent(excess), String(missing.length), String(extra.length)])
    const print = (files) =>
      files
        .sort((a, b) => b.size - a.size)
        .slice(0, 15)
        .map(({ path, size }) => `  ${size} ${path}`)
        .join('\n')
    console.error(`${name}: missing\n${print(missing)}\n${name}: excess\n${print(extra)}`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
console.log(table(['image', 'traced', 'found', 'excess', 'files missing', 'files in excess'], rows))

function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`
}

function percent(share) {
  return `${(share * 100).toFixed(2)} %`
}
