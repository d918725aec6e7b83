// Checks the built site as a browser would find it: every link, image and anchor inside it exists, and nothing is loaded from elsewhere.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Parser } from 'htmlparser2'

const BASE = 'https://site.example/'
const LOADED = new Set(['script', 'img', 'iframe', 'source', 'video', 'audio'])

/**
 * @param {string} folder of the built site
 * @returns {{ pages: number, links: number }}
 * @throws Error that lists every dead link
 */
export function checkLinks(folder) {
  const files = readdirSync(folder, { recursive: true }).filter((file) => file.endsWith('.html'))
  const pages = new Map(files.map((file) => [file.replaceAll('\\', '/'), readPage(join(folder, file))]))
  const dead = new Set()
  let links = 0
  for (const [file, { references }] of pages)
    for (const { url, loaded } of references) {
      const target = new URL(url, new URL(file, BASE))
      if (!target.href.startsWith(BASE)) {
        if (loaded) dead.add(`${file} loads ${url}: the site must work offline`)
        continue
      }
      links++
      const path = decodeURIComponent(target.pathname).slice(1)
      const page = path === '' || path.endsWith('/') ? `${path}index.html` : path
      const found = pages.get(page)
      const exists = found !== undefined || (existsSync(join(folder, page)) && statSync(join(folder, page)).isFile())
      if (!exists) dead.add(`${file} links to ${url}: there is no ${page}`)
      const id = decodeURIComponent(target.hash.slice(1))
      if (found !== undefined && id !== '' && !found.ids.has(id))
        dead.add(`${file} links to ${url}: ${page} has no #${id}`)
    }
  if (dead.size > 0) throw new Error(`dead links:\n${[...dead].join('\n')}`)
  return { pages: pages.size, links }
}

function readPage(file) {
  const ids = new Set()
  const references = []
  const parser = new Parser({
    onopentag(name, { id, name: anchor, href, src, rel }) {
      if (id) ids.add(id)
      if (name === 'a' && anchor) ids.add(anchor)
      const url = href ?? src
      if (url && !/^(?:data|mailto):/.test(url))
        references.push({ url, loaded: LOADED.has(name) || (name === 'link' && rel !== 'canonical') })
    },
  })
  parser.end(readFileSync(file, 'utf8'))
  return { ids, references }
}
