// Writes docs/api.md from the built package's jsii assembly (`npm run build` first). `--check` fails where the page is out of step.
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import docgen from 'jsii-docgen'

const root = fileURLToPath(new URL('..', import.meta.url))
const installed = fileURLToPath(new URL('../../../node_modules', import.meta.url))
const PAGE = join(root, 'docs', 'api.md')
const HEAD = "<!-- Made by packages/cdk-soci/scripts/api.mjs from the constructs' documentation: change it there. -->"

/** The generator takes all assemblies below one folder: of ours and of those that it names. They are not installed below the package. */
async function page() {
  const folder = mkdtempSync(join(tmpdir(), 'cdk-soci-api-'))
  const { name, dependencyClosure } = JSON.parse(readFileSync(join(root, '.jsii'), 'utf8'))
  try {
    for (const dependency of [name, ...Object.keys(dependencyClosure)]) {
      mkdirSync(join(folder, dependency), { recursive: true })
      for (const file of ['package.json', '.jsii', '.jsii.gz']) {
        const from = join(installed, dependency, file)
        if (existsSync(from)) cpSync(from, join(folder, dependency, file))
      }
    }
    const documentation = await docgen.Documentation.forProject(join(folder, name), { assembliesDir: folder })
    const markdown = await documentation.toMarkdown({ language: docgen.Language.TYPESCRIPT })
    return `${HEAD}\n\n${markdown.render().trim()}\n`
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const made = await page()
if (!process.argv.includes('--check')) writeFileSync(PAGE, made)
else if (readFileSync(PAGE, 'utf8') !== made) {
  console.error(`${PAGE} is out of step with the constructs. Run: node packages/cdk-soci/scripts/api.mjs`)
  process.exit(1)
}
