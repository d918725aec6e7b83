import { existsSync, readdirSync } from 'node:fs'
import { slug } from 'github-slugger'
import { defineConfig } from 'vitepress'
import { constructTypes } from '../constructs.mjs'
import { LIBRARIES, PAGES, resolveLink, sections } from '../sources.mjs'

const groups = sections()
const sources = groups.flatMap((section) => section.sources)
const pages = new Map(sources.map(({ file, page }) => [file, page]))
const files = new Map(sources.map(({ file, page }) => [`${page}.md`, file]))
const KINDS = {
  functions: 'Functions',
  classes: 'Classes',
  interfaces: 'Interfaces',
  'type-aliases': 'Types',
  variables: 'Constants',
}

export default defineConfig({
  title: 'sociable',
  description: 'SOCI indexes for container images: tasks start before their image has been downloaded',
  lang: 'en',
  base: process.env.SITE_BASE ?? '/',
  srcDir: 'generated',
  outDir: 'dist',
  cacheDir: 'generated/.cache',
  head: [['link', { rel: 'icon', href: `${process.env.SITE_BASE ?? '/'}icon.svg`, type: 'image/svg+xml' }]],
  vite: { build: { chunkSizeWarningLimit: 2000 } }, // kB: the search index, which is loaded when the search is opened
  markdown: {
    attrs: { disable: true }, // types such as {[ key: string ]: string} are no attributes
    anchor: { slugify: slug }, // as GitHub does, so that links to headings work in both places
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    config(md) {
      md.core.ruler.push('repository-links', rewriteLinks)
      md.core.ruler.push('empty-headers', removeEmptyHeaders)
    },
  },
  themeConfig: {
    nav: [
      { text: 'Start', link: '/start/introduction' },
      { text: 'Command line', link: '/cli' },
      { text: 'Library', link: '/library/sociable/guide', activeMatch: '^/library/' },
      { text: 'Constructs', link: '/constructs/', activeMatch: '^/constructs/' },
      { text: 'Troubleshooting', link: '/troubleshooting' },
      { text: 'Benchmarks', link: '/benchmarks' },
    ],
    sidebar: {
      ...Object.fromEntries(LIBRARIES.map((library) => [`/${library.folder}/`, librarySidebar(library)])),
      '/constructs/': [...constructTypes()].map(([kind, names]) => ({
        text: kind,
        items: names.map((name) => ({ text: name, link: `/constructs/${name}` })),
      })),
      '/': groups.map(({ title, sources }) => ({
        text: title,
        items: sources.map(({ title, page }) => ({ text: title, link: `/${page}` })),
      })),
    },
    outline: [2, 3],
    search: { provider: 'local' },
    socialLinks: [{ icon: 'github', link: 'https://github.com/sociable/sociable' }],
    footer: { message: 'Apache License 2.0' },
  },
})

/** Links in the repository's files lead to other files there: on the site, to their pages. */
function rewriteLinks({ tokens, env }) {
  const file = files.get(env.relativePath)
  if (file === undefined) return
  for (const token of tokens.flatMap(({ children }) => children ?? [])) {
    const name = { link_open: 'href', image: 'src' }[token.type]
    if (name === undefined) continue
    const link = token.attrGet(name)
    const picture = /(?:^|\/)docs\/images\/([^/]+)$|^images\/([^/]+)$/.exec(link)
    token.attrSet(name, picture ? `/images/${picture[1] ?? picture[2]}` : resolveLink(link, file, pages))
  }
}

/** Markdown has no table without a header. One that is empty would be read aloud as a header without a name. */
function removeEmptyHeaders(state) {
  const { tokens } = state
  const isEmpty = (open) => tokens[open + 1].content === ''
  tokens.forEach(({ type }, at) => {
    if (type === 'th_open' && isEmpty(at)) tokens[at].tag = tokens[at + 2].tag = 'td'
  })
  const heads = tokens.flatMap(({ type }, at) =>
    type === 'thead_open' ? [[at, tokens.findIndex((token, end) => end > at && token.type === 'thead_close')]] : [],
  )
  const gone = heads.filter(([from, to]) =>
    tokens.slice(from, to).every(({ type, content }) => type !== 'inline' || content === ''),
  )
  state.tokens = tokens.filter((_, at) => !gone.some(([from, to]) => at >= from && at <= to))
}

/** The exports of one library, and the way to the others. */
function librarySidebar({ name, folder }) {
  const kinds = Object.entries(KINDS).flatMap(([kind, text]) => {
    const path = `${PAGES}/${folder}/${kind}`
    if (!existsSync(path)) return []
    const names = readdirSync(path).map((file) => file.replace(/\.md$/, ''))
    return { text, items: names.map((each) => ({ text: each.replace('_', ''), link: `/${folder}/${kind}/${each}` })) }
  })
  const guide = existsSync(`${PAGES}/${folder}/guide.md`) ? [{ text: 'Guide', link: `/${folder}/guide` }] : []
  const others = LIBRARIES.filter((other) => other.name !== name)
  return [
    { text: name, items: [...guide, { text: 'All exports', link: `/${folder}/` }] },
    ...kinds,
    { text: 'Other libraries', items: others.map((other) => ({ text: other.name, link: `/${other.folder}/` })) },
  ]
}
