// The constructs' API reference, which is one file of thousands of lines: a page for each type.
import { readFileSync } from 'node:fs'
import { CONSTRUCTS, ROOT } from './sources.mjs'

const FOLDER = 'constructs'

/** @returns {{ page: string, text: string }[]} the types' pages, and one that lists them */
export function splitConstructs() {
  const [, ...kinds] = readFileSync(`${ROOT}/${CONSTRUCTS}`, 'utf8').split(/^## /m)
  const types = kinds.flatMap((kind) => {
    const [head, ...parts] = kind.split(/^### /m)
    return parts.map((part) => ({ kind: firstWord(head), name: firstWord(part), part }))
  })
  const names = new Set(types.map(({ name }) => name))
  const pages = types.map(({ name, part }) => ({
    page: `${FOLDER}/${name}.md`,
    text: `# ${lift(relink(part, names))}`,
  }))
  return [...pages, { page: `${FOLDER}/index.md`, text: contents(types) }]
}

/** The types that the sidebar lists, by kind. */
export function constructTypes() {
  const kinds = new Map()
  for (const [, marks, name] of readFileSync(`${ROOT}/${CONSTRUCTS}`, 'utf8').matchAll(/^(##|###) (\w+) </gm)) {
    if (marks === '##') kinds.set(name, [])
    else [...kinds.values()].at(-1).push(name)
  }
  return kinds
}

const firstWord = (text) => /^\w+/.exec(text)[0]

/** Headings are two levels lower in the whole reference. */
const lift = (text) => text.replace(/^##(#+ )/gm, '$1')

/** Anchors are named for their type, which is the page that has them now. */
function relink(text, names) {
  return text.replace(/href="#cdk-soci\.(\w+)/g, (link, name) => {
    if (!names.has(name)) throw new Error(`${CONSTRUCTS} links to ${link}, which is no type`)
    return `href="./${name}.html#cdk-soci.${name}`
  })
}

function contents(types) {
  const kinds = [...new Set(types.map(({ kind }) => kind))]
  const list = (kind) =>
    types.filter((type) => type.kind === kind).map(({ name, part }) => `| [${name}](${name}.md) | ${summary(part)} |`)
  const tables = kinds.map((kind) => `## ${kind}\n\n| | |\n|---|---|\n${list(kind).join('\n')}`)
  return `# Constructs\n\nThe types of \`cdk-soci\`. [Guide](/guides/cdk)\n\n${tables.join('\n\n')}\n`
}

/** The first sentence of the type's description. */
function summary(part) {
  const paragraph =
    part
      .split('\n\n')
      .slice(1)
      .find((text) => /^[A-Z]/.test(text)) ?? ''
  return paragraph
    .replaceAll('\n', ' ')
    .replaceAll('|', '\\|')
    .replace(/(?<=[a-z)`]\.) .*/, '')
}
