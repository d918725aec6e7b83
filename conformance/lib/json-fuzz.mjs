// Random JSON in the shape of manifests and indexes, with all that JSON readers disagree about.
import { Dice } from './dice.mjs'

const strings = [
  '',
  'a',
  '<script>&amp;</script>',
  '\u2028\u2029',
  '\b\f\n\r\t\u0000\u001f\u007f\u0080',
  '"\\/',
  'é\u{1f600}\uffee',
  '\ud800',
  '\udc00x',
  '__proto__',
  '10',
  '𝕊OCI',
]
const digests = [`sha256:${'a'.repeat(64)}`, 'sha256:', '', 'md5:x', `sha512:${'b'.repeat(128)}`]
const types = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.layer.v1.tar+gzip',
  'x/y',
  '',
]
const numbers = [
  '0',
  '1',
  '2',
  '-1',
  '9007199254740993',
  '9223372036854775807',
  '-9223372036854775808',
  '9223372036854775808',
  '1.0',
  '1e3',
  '1.5',
  '-0',
  '1E2',
  '00',
  '+1',
  '01',
  '.5',
  '1.',
]

/** { kind, mediaType, json } of the seed; about a third of the documents are refused by someone. */
export function fuzzDocument(seed) {
  const dice = new Dice(seed)
  const kind = dice.pick(['manifest', 'index'])
  const text = kind === 'manifest' ? manifest(dice) : index(dice)
  const own = kind === 'manifest' ? [types[0], types[2]] : [types[1], types[3]]
  return { kind, mediaType: dice.pick(own), json: spoil(dice, text) }
}

function manifest(dice) {
  return object(dice, [
    ['schemaVersion', () => number(dice), 0.9],
    ['mediaType', () => string(dice, types), 0.7],
    ['artifactType', () => string(dice, types), 0.1],
    ['config', () => descriptor(dice), 0.9],
    ['layers', () => list(dice, descriptor), 0.9],
    ['subject', () => descriptor(dice), 0.1],
    ['annotations', () => annotations(dice), 0.4],
    ['manifests', () => list(dice, descriptor), 0.03],
    ['fsLayers', () => '[]', 0.03],
  ])
}

function index(dice) {
  return object(dice, [
    ['schemaVersion', () => number(dice), 0.9],
    ['mediaType', () => string(dice, types), 0.7],
    ['artifactType', () => string(dice, types), 0.1],
    ['manifests', () => list(dice, descriptor), 0.95],
    ['subject', () => descriptor(dice), 0.1],
    ['annotations', () => annotations(dice), 0.4],
    ['config', () => descriptor(dice), 0.03],
    ['layers', () => 'null', 0.03],
  ])
}

function descriptor(dice) {
  return object(dice, [
    ['mediaType', () => string(dice, types), 0.9],
    ['digest', () => string(dice, digests), 0.95],
    ['size', () => number(dice), 0.95],
    ['urls', () => list(dice, string), 0.1],
    ['annotations', () => annotations(dice), 0.2],
    ['data', () => string(dice, ['aGVsbG8=', 'aGVsbG8', 'aGVs\nbG8=', '', '*', 'aGVsbG8==', 'YQ-_']), 0.08],
    ['platform', () => platform(dice), 0.3],
    ['artifactType', () => string(dice, types), 0.1],
  ])
}

function platform(dice) {
  return object(dice, [
    ['architecture', () => string(dice, ['amd64', 'arm64', '']), 0.9],
    ['os', () => string(dice, ['linux', 'windows', '']), 0.9],
    ['os.version', () => string(dice), 0.2],
    ['os.features', () => list(dice, string), 0.2],
    ['variant', () => string(dice, ['v8', '']), 0.3],
    ['features', () => list(dice, string), 0.1],
  ])
}

function annotations(dice) {
  const members = Array.from({ length: dice.below(5) }, () => `${string(dice)}:${string(dice)}`)
  return dice.chance(0.03) ? wrong(dice) : `{${members.join(',')}}`
}

/** An object of members that are there with their probability, some twice, some in other cases, some of no known name. */
function object(dice, members) {
  if (dice.chance(0.01)) return wrong(dice)
  const texts = []
  for (const [name, make, probability] of members) {
    if (!dice.chance(probability)) continue
    texts.push(`${key(dice, name)}:${make()}`)
    if (dice.chance(0.02)) texts.push(`${key(dice, name)}:${make()}`)
  }
  if (dice.chance(0.1)) texts.push(`${string(dice)}:${wrong(dice)}`)
  if (dice.chance(0.2)) texts.reverse()
  return `{${texts.join(dice.pick([',', ', ', ',\n']))}}`
}

function key(dice, name) {
  if (!dice.chance(0.06)) return JSON.stringify(name)
  return dice.pick([
    JSON.stringify(name.toUpperCase()),
    JSON.stringify(name[0].toUpperCase() + name.slice(1)),
    JSON.stringify(name.replace('s', '\u017f')), // folds to s
    JSON.stringify(name.replace('k', '\u212a')), // folds to k
    `"\\u00${name.charCodeAt(0).toString(16)}${name.slice(1)}"`,
    JSON.stringify(`${name} `),
  ])
}

function string(dice, choices = strings) {
  if (dice.chance(0.015)) return wrong(dice)
  const text = JSON.stringify(dice.chance(0.8) ? dice.pick(choices) : dice.pick(strings))
  if (dice.chance(0.1)) return text.replace(/[a-z]/, (letter) => `\\u00${letter.charCodeAt(0).toString(16)}`)
  return text
}

function number(dice) {
  if (dice.chance(0.02)) return wrong(dice)
  return dice.chance(0.9) ? String(dice.pick([2, 2, dice.below(1000)])) : dice.pick(numbers)
}

function list(dice, make) {
  if (dice.chance(0.02)) return wrong(dice)
  return `[${Array.from({ length: dice.below(4) }, () => make(dice)).join(',')}]`
}

/** A value of any type. */
function wrong(dice) {
  return dice.pick([
    'null',
    'null',
    'null',
    'true',
    '1',
    '"text"',
    '[]',
    '{}',
    '[null]',
    '{"a":{"b":[1,2.5e-3,"x"]}}',
    '""',
  ])
}

/** Breaks the text now and then. */
function spoil(dice, text) {
  if (!dice.chance(0.12)) return text
  const at = dice.below(text.length)
  return dice.pick([
    () => `${text} {}`,
    () => ` \t\r\n${text}\n`,
    () => `\ufeff${text}`,
    () => text.slice(0, at),
    () => `${text.slice(0, at)}${dice.pick([',', '}', '"', '\\', '\u0001', '0'])}${text.slice(at)}`,
    () => `${text.slice(0, at)}${text.slice(at + 1)}`,
    () => `${'['.repeat(10_001)}`,
    () => text.replace('{', `{"deep":${'['.repeat(9000)}${']'.repeat(9000)},`),
    () => '',
  ])()
}
