// Bundles the report's page (folder `page`: Preact, d3-hierarchy) into a TypeScript module, so that `report` finds it without a file at run time.
// Does nothing when the output is newer.
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const output = `${root}src/generated/report-page.ts`
const inputs = [
  fileURLToPath(import.meta.url),
  `${root}src/report/report-data.ts`,
  `${root}src/size.ts`,
  ...readdirSync(`${root}page`).map((name) => `${root}page/${name}`),
]
const newest = Math.max(...inputs.map((file) => statSync(file).mtimeMs))

if (!existsSync(output) || statSync(output).mtimeMs < newest) {
  const { outputFiles } = await build({
    entryPoints: [`${root}page/main.tsx`],
    bundle: true,
    write: false,
    minify: true,
    format: 'esm',
    target: ['chrome123', 'firefox120', 'safari17.5'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    legalComments: 'inline',
    banner: { js: '/*! Includes Preact (MIT, preactjs.com) and d3-hierarchy (ISC, d3js.org). */' },
  })
  const { outputFiles: styles } = await build({
    entryPoints: [`${root}page/style.css`],
    write: false,
    minify: true,
    target: ['chrome123', 'firefox120', 'safari17.5'],
  })
  mkdirSync(`${root}src/generated`, { recursive: true })
  const literal = (text) => JSON.stringify(text.trim())
  writeFileSync(
    output,
    `// Made by scripts/page.mjs from the folder \`page\`.\nexport const PAGE_SCRIPT =\n  ${literal(outputFiles[0].text)}\nexport const PAGE_STYLE =\n  ${literal(styles[0].text)}\n`,
  )
}
