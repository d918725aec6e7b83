// Looks at the built site in Chromium: on a desktop and on a phone, light and dark. Nothing is fetched from elsewhere, nothing overflows, axe finds
// nothing, and the search works.
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { ensure } from '../scripts/tools.mjs'

const LOAD = 60_000 // ms
const IDLE = 5_000 // ms
const ADDRESS = 'http://site.example'
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const PAGES = [
  '/',
  '/start/introduction.html',
  '/start/getting-started.html',
  '/guides/cdk.html',
  '/guides/containerd.html',
  '/guides/ci.html',
  '/cli.html',
  '/troubleshooting.html',
  '/benchmarks.html',
  '/library/sociable/functions/convert.html',
  '/library/sociable/interfaces/ConvertOptions.html',
  '/constructs/',
  '/constructs/SociIndexV2Build.html',
]
const VIEWS = [
  { name: 'desktop', viewport: { width: 1280, height: 900 } },
  { name: 'phone', viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
]

/**
 * @param {string} folder of the built site
 * @param {string} [screenshots] folder for pictures
 * @returns {Promise<string>} what was looked at
 * @throws Error that lists what is wrong
 */
export async function look(folder, screenshots) {
  if (screenshots !== undefined) mkdirSync(screenshots, { recursive: true })
  const browser = await chromium.launch({
    executablePath: ensure('chromium'),
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
  })
  const problems = []
  try {
    const views = VIEWS.flatMap((view) => [
      { ...view, colorScheme: 'light' },
      { ...view, colorScheme: 'dark' },
    ])
    await Promise.all(views.map((view) => lookAs(view, { browser, folder, screenshots, problems })))
  } finally {
    await browser.close()
  }
  if (problems.length > 0) throw new Error([...new Set(problems)].join('\n'))
  return `browser: ${PAGES.length} pages on desktop and phone, light and dark: no errors, no overflow, no axe violations; the search works`
}

async function lookAs({ name, ...view }, { browser, folder, screenshots, problems }) {
  const context = await browser.newContext(view)
  await context.route('**/*', (route) => fulfill(route, folder, problems))
  const page = await context.newPage()
  page.on('pageerror', ({ message }) => problems.push(`${page.url()}: ${message}`))
  page.on('console', (message) => message.type() === 'error' && problems.push(`${page.url()}: ${message.text()}`))
  for (const path of PAGES) {
    const where = `${path} (${name}, ${view.colorScheme})`
    await page.goto(ADDRESS + path, { waitUntil: 'load', timeout: LOAD })
    // Pages with many links go on fetching what these lead to: that need not end
    await page.waitForLoadState('networkidle', { timeout: IDLE }).catch(() => {})
    const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
    if (wider > 0) problems.push(`${where}: ${wider} px wider than the window`)
    if (screenshots !== undefined)
      await page.screenshot({ path: join(screenshots, `${fileName(path)}-${name}-${view.colorScheme}.png`) })
    await page.addScriptTag({ content: AXE })
    problems.push(...(await page.evaluate(violations)).map((violation) => `${where}: ${violation}`))
  }
  await search(page)
  await context.close()
}

/** Answers from the folder; there is no network. */
function fulfill(route, folder, problems) {
  const url = new URL(route.request().url())
  const path = join(folder, decodeURIComponent(url.pathname), url.pathname.endsWith('/') ? 'index.html' : '')
  if (url.origin === ADDRESS && existsSync(path) && statSync(path).isFile()) return route.fulfill({ path })
  problems.push(`${url.href} is requested, and is not in the site`)
  return route.abort()
}

/** A message that a user sees leads to its explanation. */
async function search(page) {
  await page.locator('#local-search button').first().click()
  await page.locator('.VPLocalSearchBox input').fill('choose another tag')
  const first = page.locator('.VPLocalSearchBox .result').first()
  await first.waitFor()
  const targets = await page.locator('.VPLocalSearchBox .result').evaluateAll((links) => links.map(({ href }) => href))
  assert.ok(
    targets.some((href) => href.includes('/troubleshooting')),
    `the search leads to ${targets.join(', ')}`,
  )
}

async function violations() {
  const { violations } = await globalThis.axe.run()
  return violations.flatMap(({ id, nodes }) =>
    nodes.slice(0, 3).map(({ html, any }) => `${id}: ${html.slice(0, 200)} ${any[0]?.message ?? ''}`),
  )
}

const fileName = (path) =>
  path
    .replace(/\.html$/, '')
    .replaceAll('/', '_')
    .replace(/^_/, '') || 'home'
