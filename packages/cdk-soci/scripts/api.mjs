// Writes docs/api.md from the built package's jsii assembly (`npm run build` first). `--check` fails where the page is out of step.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureNode } from '../../../scripts/tools.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const PAGE = join(root, 'docs', 'api.md')

function page() {
  const docgen = createRequire(import.meta.url).resolve('jsii-docgen/bin/jsii-docgen')
  const folder = mkdtempSync(join(tmpdir(), 'cdk-soci-api-'))
  try {
    const args = [docgen, '--language', 'typescript', '--output', join(folder, 'api.md')]
    const { status, stdout, stderr, error } = spawnSync(ensureNode('24'), args, { cwd: root, encoding: 'utf8' })
    if (status !== 0) throw new Error(`jsii-docgen failed: ${error?.message ?? `${stdout}${stderr}`}`)
    const text = readFileSync(join(folder, 'api.md'), 'utf8').trimEnd()
    return `<!-- Made by packages/cdk-soci/scripts/api.mjs from the constructs' documentation: change it there. -->\n\n${text}\n`
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const made = page()
if (!process.argv.includes('--check')) writeFileSync(PAGE, made)
else if (readFileSync(PAGE, 'utf8') !== made) {
  console.error(
    'packages/cdk-soci/docs/api.md is out of step with the constructs. Run: node packages/cdk-soci/scripts/api.mjs',
  )
  process.exit(1)
}
