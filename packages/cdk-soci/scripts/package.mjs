// `npm run package [-- LANGUAGE…]`: builds, then packs for npm (dist/js) and PyPI (dist/python) as jsii-pacmak does. Further
// languages: `java` is compiled (it needs Maven), of `go` and `dotnet` only the code is generated.
// Then the CloudFormation template of `SociIndexOnPush` and its function's zip (dist/template).
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from '../../../scripts/build.mjs'
import { ensureNode } from '../../../scripts/tools.mjs'
import { JSII_NODE } from './build.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const CODE_ONLY = ['go', 'dotnet'] // compiling them takes a build of all of aws-cdk-lib, or a tool that is no package

/**
 * Packs what is built for these languages, below `dist`.
 * @param {readonly string[]} languages
 * @throws Error where a snippet does not compile, or packing fails, with what was said
 */
export function pack(languages) {
  // README's snippets and examples of the documentation, translated: each has to compile, with what rosetta/default.ts-fixture has around it
  if (languages.some((language) => language !== 'js')) run('jsii-rosetta', ['extract', '--strict', '.'])
  for (const codeOnly of [false, true]) {
    const targets = languages.filter((language) => CODE_ONLY.includes(language) === codeOnly)
    if (targets.length === 0) continue
    for (const target of targets) rmSync(join(root, 'dist', target), { recursive: true, force: true })
    const args = targets.flatMap((target) => ['--target', target])
    if (codeOnly) args.push('--code-only')
    run('jsii-pacmak', args)
  }
}

/** Runs one of jsii's programs, on a Node that it supports; what it starts (npm, and jsii's runtime below it) finds the same one. */
function run(name, args) {
  const node = ensureNode(JSII_NODE)
  const program = fileURLToPath(new URL(`../../../node_modules/${name}/bin/${name}`, import.meta.url))
  const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` }
  const { status, stdout, stderr, error } = spawnSync(node, [program, ...args], { cwd: root, env, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${name} ${args.join(' ')}: ${error?.message ?? `${stdout}${stderr}`}`)
}

/** The CloudFormation template and its function's zip, below `dist/template`. */
function writeTemplate() {
  const script = fileURLToPath(new URL('template.mjs', import.meta.url))
  const { status } = spawnSync(ensureNode(JSII_NODE), [script], { stdio: 'inherit' })
  if (status !== 0) throw new Error('the template could not be made')
}

/** The path of Python's wheel of what is built now; packed if there is none, or only an older one. */
export function ensureWheel() {
  const folder = join(root, 'dist', 'python')
  const find = () => (existsSync(folder) ? readdirSync(folder).find((name) => name.endsWith('.whl')) : undefined)
  const modified = (file) => statSync(join(root, file)).mtimeMs
  const assets = readdirSync(join(root, 'assets'), { recursive: true }).map((name) => join('assets', name))
  const built = Math.max(...['.jsii', ...assets].map(modified))
  const found = find()
  if (found === undefined || statSync(join(folder, found)).mtimeMs < built) pack(['python'])
  return join(folder, find())
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  build()
  const languages = process.argv.length > 2 ? process.argv.slice(2) : ['js', 'python']
  pack(languages)
  for (const language of languages) console.log(join(root, 'dist', language))
  writeTemplate()
}
