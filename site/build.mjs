// `npm run site`: builds the documentation site into site/dist from the repository's Markdown, the types of the libraries and the constructs' API
// reference, and fails on dead links. `--browser` also looks at it in Chromium (`--screenshots FOLDER` keeps pictures), `--serve` serves it.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { build } from '../scripts/build.mjs'
import { LIBRARIES, PAGES, ROOT, sections } from './sources.mjs'

const SITE = fileURLToPath(new URL('.', import.meta.url))

const { values } = parseArgs({
  options: { browser: { type: 'boolean' }, screenshots: { type: 'string' }, serve: { type: 'boolean' } },
})

build()
install()
const { splitConstructs } = await import('./constructs.mjs')
rmSync(PAGES, { recursive: true, force: true })
for (const library of LIBRARIES) typedoc(library)
for (const { file, page } of sections().flatMap(({ sources }) => sources)) copy(file, `${page}.md`)
for (const { page, text } of splitConstructs()) write(page, text)
copy('site/home.md', 'index.md')
cpSync(join(ROOT, 'docs/images'), join(PAGES, 'public/images'), { recursive: true })
cpSync(join(SITE, 'public'), join(PAGES, 'public'), { recursive: true })
run('node_modules/vitepress/bin/vitepress.js', ['build'])
try {
  const { checkLinks } = await import('./links.mjs')
  const { pages, links } = checkLinks(join(SITE, 'dist'))
  console.log(`site/dist: ${pages} pages, ${links} internal links and anchors, all of them lead somewhere`)
  if (values.browser || values.screenshots !== undefined) {
    const { look } = await import('./browser.mjs')
    console.log(await look(join(SITE, 'dist'), values.screenshots))
  }
} catch (error) {
  console.error(`site: ${error.message}`)
  process.exit(1)
}
if (values.serve) run('node_modules/vitepress/bin/vitepress.js', ['preview', '--host', '127.0.0.1'])

function install() {
  const installed = join(SITE, 'node_modules/.package-lock.json')
  const lock = join(SITE, 'package-lock.json')
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return
  command('npm', ['ci', '--no-audit', '--no-fund'], { shell: process.platform === 'win32' })
}

/** Writes a page for each export. */
function typedoc({ name, entry, folder }) {
  const args = ['--entryPoints', join(ROOT, entry), '--out', join(PAGES, folder), '--name', `Exports of ${name}`]
  run('node_modules/typedoc/bin/typedoc', args)
  // VitePress takes Index.md for index.md, the page of a folder
  for (const file of readdirSync(join(PAGES, folder), { recursive: true })) {
    if (!file.endsWith('.md')) continue
    const path = join(PAGES, folder, file)
    const text = readFileSync(path, 'utf8')
    if (basename(path) === 'Index.md') rmSync(path)
    writeFileSync(
      join(dirname(path), basename(path).replace(/^Index\.md$/, 'Index_.md')),
      text.replaceAll('/Index.md', '/Index_.md'),
    )
  }
}

function copy(file, page) {
  const to = join(PAGES, page)
  mkdirSync(dirname(to), { recursive: true })
  cpSync(join(ROOT, file), to)
}

function write(page, text) {
  const to = join(PAGES, page)
  mkdirSync(dirname(to), { recursive: true })
  writeFileSync(to, text)
}

function run(program, args) {
  command(process.execPath, [program, ...args])
}

function command(program, args, options) {
  const { status, error } = spawnSync(program, args, { cwd: SITE, stdio: 'inherit', ...options })
  if (status === 0) return
  console.error(`site: ${program} ${args.join(' ')} failed: ${error?.message ?? `status ${status}`}`)
  process.exit(1)
}
