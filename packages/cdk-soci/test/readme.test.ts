// The TypeScript snippets of README and docs: each compiles, and gives a stack that indexes an image.
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { compileModules, snippetsOf, stackModule } from './snippets.js'
import { PACKAGE, run } from './workplace.js'

const PAGES = [
  'README.md',
  'docs/background.md',
  'docs/compliance.md',
  'docs/from-deploy-time-build.md',
  'docs/backfill.md',
  'docs/lazy-loading.md',
  'docs/on-push.md',
  'docs/publishing.md',
  'docs/sagemaker.md',
  'docs/signatures.md',
  'docs/sizes.md',
]
const folder = join(PACKAGE, 'generated', 'snippets') // in the package, where imports resolve as they do for its users

it('README and docs: every snippet compiles under strict TypeScript and indexes an image', () => {
  const snippets = PAGES.flatMap((page) => snippetsOf(join(PACKAGE, page), 'ts'))
  assert.ok(snippets.length > 8, `${snippets.length} snippets`)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(join(folder, 'image'), { recursive: true })
  writeFileSync(join(folder, 'image', 'Dockerfile'), 'FROM scratch\n')
  writeFileSync(join(folder, 'image', 'start.json'), '{"version":1,"files":[{"path":"/app/server.js"}]}')
  for (const [at, snippet] of snippets.entries()) writeFileSync(join(folder, `snippet-${at}.mts`), stackModule(snippet))
  writeFileSync(join(folder, 'main.mjs'), SYNTHESIZE)
  compileModules(folder)
  const indexes = JSON.parse(run('node', ['main.mjs', String(snippets.length)], { cwd: folder })) as number[]
  for (const [at, { name }] of snippets.entries()) assert.ok((indexes[at] ?? 0) > 0, `${name} indexes nothing`)
})

it('README: the whole app compiles and is synthesized as it stands', (t) => {
  const [app, ...others] = snippetsOf(join(PACKAGE, 'README.md'), 'ts nofixture')
  assert.ok(app !== undefined && others.length === 0)
  const whole = join(PACKAGE, 'generated', 'whole-app')
  t.after(() => rmSync(whole, { recursive: true, force: true }))
  mkdirSync(join(whole, 'image'), { recursive: true })
  writeFileSync(join(whole, 'image', 'Dockerfile'), 'FROM scratch\n')
  writeFileSync(join(whole, 'app.mts'), app.code)
  compileModules(whole)
  run('node', ['app.mts'], { cwd: whole, env: { CDK_OUTDIR: join(whole, 'cdk.out') } })
  const template = readFileSync(join(whole, 'cdk.out', 'Web.template.json'), 'utf8')
  assert.equal(template.match(/"Type": "Custom::SociIndex"/g)?.length, 1)
})

/** Prints how many indexes each snippet's app has, in all its stacks; a function that makes them later counts as one. */
const SYNTHESIZE = `import { App } from 'aws-cdk-lib'
const indexes = []
for (let at = 0; at < Number(process.argv[2]); at++) {
  const app = new App({ outdir: \`cdk.out/\${at}\`, analyticsReporting: false })
  const { default: Example } = await import(\`./snippet-\${at}.mts\`)
  new Example(app, 'Example')
  const resources = app.synth().stacksRecursively.flatMap(({ template }) => Object.values(template.Resources ?? {}))
  const makes = (resource) => /SOCI_FILTERS/.test(JSON.stringify(resource.Properties?.Environment ?? ''))
  indexes.push(resources.filter((resource) => resource.Type === 'Custom::SociIndex' || makes(resource)).length)
}
console.log(JSON.stringify(indexes))
`
