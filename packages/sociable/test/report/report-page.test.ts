import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { after, type TestContext, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright-core'
import type { ReportData } from '../../src/report/report-data.js'
import { reportPage } from '../../src/report/report-page.js'
import { TestFolder } from '../support/folder.js'
import { doubles } from '../support/registries.js'
import { sampleReport } from './sample.js'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

const folder = new TestFolder()
let browser: Browser | undefined
after(() => browser?.close())

interface View {
  readonly width?: number
  readonly colorScheme?: 'light' | 'dark'
}

/** The report in a real browser, with all requests it makes beyond its own file and all its errors. */
async function show(t: TestContext, data: ReportData, { width = 1280, colorScheme = 'light' }: View = {}) {
  const { tool } = await doubles()
  const executablePath = await tool(t, 'chromium')
  if (executablePath === undefined) return undefined
  browser ??= await chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
  })
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme })
  t.after(() => context.close())
  const page = await context.newPage()
  const requests: string[] = []
  const errors: string[] = []
  const file = `${folder.fresh()}.html`
  writeFileSync(file, reportPage(data))
  const url = pathToFileURL(file).href
  page.on('request', (request) => request.url() !== url && requests.push(request.url()))
  page.on('pageerror', (error) => errors.push(error.message))
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()))
  page.on('dialog', (dialog) => errors.push(`dialog ${dialog.message()}`))
  await page.goto(url)
  await page.waitForSelector('html[data-ready]')
  return { page, requests, errors }
}

/** What axe finds, run in an isolated world: the page's own policy lets no other script in. */
async function axeViolations(page: Page): Promise<string[]> {
  const session = await page.context().newCDPSession(page)
  await session.send('Page.setBypassCSP', { enabled: true })
  await page.reload()
  await page.waitForSelector('html[data-ready]')
  await page.addScriptTag({ content: AXE })
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> }
    }
    return (await axe.run()).violations.map(({ id, nodes }) => `${id}: ${nodes[0]!.html}`)
  })
}

test('predicted starts are a table with a bar for each, the longest for the slowest; without a profile there are none', async (t) => {
  const data = sampleReport(10)
  const shown = await show(t, data)
  if (shown === undefined) return
  const table = shown.page.getByRole('region', { name: 'Predicted start' }).getByRole('table')
  assert.deepEqual(await table.locator('tbody tr').allInnerTexts(), [
    'full pull\n\t9.6\t134.0 MB\t12',
    'SOCI index (this image)\n\t3.3\t52.0 MB\t40',
  ])
  const widths = await table.locator('.bar').evaluateAll((bars) => bars.map((bar) => bar.getBoundingClientRect().width))
  assert.ok(widths[0]! > 100, String(widths[0]))
  assert.ok(Math.abs(widths[1]! / widths[0]! - 3.3 / 9.6) < 0.02, widths.join(' and '))
  const bare = await show(t, { ...data, starts: [] })
  assert.equal(await bare!.page.getByRole('heading', { name: 'Predicted start' }).count(), 0)
})

test('a directory opens by a click, by Enter and from the table, and the breadcrumbs lead back', async (t) => {
  const shown = await show(t, sampleReport(2000))
  if (shown === undefined) return
  const { page, requests, errors } = shown
  const crumbs = page.getByRole('navigation', { name: 'Directory' })
  await page.locator('.treemap button.cell').first().click()
  await crumbs.getByRole('button', { name: 'usr' }).waitFor()
  await page.locator('.treemap button.cell').first().focus()
  await page.keyboard.press('ArrowRight')
  const label = await page.evaluate<string>("document.activeElement.getAttribute('aria-label')")
  await page.keyboard.press('Enter')
  assert.equal(await crumbs.locator('[aria-current]').textContent(), label.split('/')[0])
  await page.locator('.treemap button.cell').first().focus()
  await page.keyboard.press('Escape')
  assert.equal(await crumbs.locator('[aria-current]').textContent(), 'usr')
  await crumbs.getByRole('button', { name: '/' }).click()
  await page.getByRole('table').getByRole('button', { name: 'etc/' }).click()
  await page.getByText('os-release').first().waitFor()
  assert.deepEqual(requests, [])
  assert.deepEqual(errors, [])
})

test('the search finds files by a part of their path, largest first', async (t) => {
  const shown = await show(t, sampleReport(2000))
  if (shown === undefined) return
  await shown.page.getByRole('searchbox').fill('lib3/file')
  const rows = shown.page.getByRole('region', { name: /lib3\/file/ }).locator('tbody tr')
  assert.equal(await rows.count(), 100)
  const sizes = await rows.locator('td:nth-child(2)').allTextContents()
  const bytes = sizes.map(
    (text) => Number.parseFloat(text) * ({ B: 1, kB: 1e3, MB: 1e6 }[text.split(' ')[1]!] ?? Number.NaN),
  )
  assert.deepEqual(
    bytes,
    bytes.toSorted((a, b) => b - a),
  )
})

for (const view of [{ width: 1280 }, { width: 1280, colorScheme: 'dark' }, { width: 360 }] as const)
  test(`axe finds nothing at ${view.width} pixels, ${'colorScheme' in view ? view.colorScheme : 'light'}`, async (t) => {
    const shown = await show(t, sampleReport(1000), view)
    if (shown === undefined) return
    assert.deepEqual(await axeViolations(shown.page), [])
    const overflow = await shown.page.evaluate<number>('document.documentElement.scrollWidth - innerWidth')
    assert.ok(overflow <= 0, `the page is ${overflow} pixels wider than the window`)
  })

test('100,000 files: only what can be seen is in the document', async (t) => {
  const shown = await show(t, sampleReport(100_000))
  if (shown === undefined) return
  const { page } = shown
  const elements = () => page.evaluate<number>("document.querySelectorAll('*').length")
  assert.ok((await elements()) < 6000, `${await elements()} elements`)
  await page.locator('.treemap button.cell').first().click()
  assert.ok((await elements()) < 6000, `${await elements()} elements`)
  await page.getByRole('searchbox').fill('file')
  await page.getByText('paths with “file”').first().waitFor()
  assert.ok((await elements()) < 6000, `${await elements()} elements`)
})

test('names from an image are shown as text: no tag, script or handler in them takes effect', async (t) => {
  const hostile = '</script><script>alert(1)</script><img src=x onerror=alert(2)>"\'&amp;'
  const data = sampleReport(100, hostile)
  const names = data.files.names.map((name, index) => (index > 3 ? `${hostile}${name}` : name))
  const layers = data.layers.map((layer) => ({ ...layer, lazy: false, reason: hostile, createdBy: hostile }))
  const shown = await show(t, { ...data, files: { ...data.files, names }, layers })
  if (shown === undefined) return
  assert.equal(await shown.page.locator('h1').textContent(), hostile)
  assert.equal(await shown.page.locator('main img, main script').count(), 0)
  assert.deepEqual(shown.errors, [])
  assert.deepEqual(shown.requests, [])
})
