// Writes docs/cli.md from the program itself and from the types of what --json prints. `--check` fails where the page is out of step.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { examplesOf } from '../dist/src/cli/examples.js'
import { buildProgram } from '../dist/src/cli/program.js'
import { Terminal } from '../dist/src/cli/terminal.js'
import { TOPICS } from '../dist/src/cli/topics.js'

const PAGE = fileURLToPath(new URL('../../../docs/cli.md', import.meta.url))

/** The types of the JSON documents, in the order of the page, with the files that have them. */
const DOCUMENTS = [
  ['convert', 'result.ts', 'ConvertResult'],
  ['create', 'result.ts', 'CreateResult'],
  ['ztoc', 'cli/ztoc.ts', 'ZtocDocument'],
  ['copy', 'copy-image.ts', 'CopyImageResult'],
  ['rm', 'remove-soci.ts', 'RemoveSociResult'],
  ['wait', 'wait.ts', 'WaitResult'],
  ['backfill', 'backfill.ts', 'BackfillResult'],
  ['prune', 'prune.ts', 'PruneResult'],
  ['inspect', 'inspect.ts', 'InspectResult'],
  ['ls', 'cli/ls.ts', 'LsDocument'],
  ['extract', 'cli/extract.ts', 'ExtractDocument'],
  ['du', 'cli/du.ts', 'DuDocument'],
  ['diff', 'diff.ts', 'DiffResult'],
  ['verify', 'verify.ts', 'VerifyResult'],
  ['profile', 'cli/profile.ts', 'ProfileDocument'],
  ['profile --check', 'check-profile.ts', 'CheckProfileResult'],
  ['simulate', 'simulate.ts', 'SimulateResult'],
  ['report', 'cli/report.ts', 'ReportDocument'],
  ['login', 'login.ts', 'LoginResult'],
  ['logout', 'login.ts', 'LogoutResult'],
  ['serve', 'cli/serve.ts', 'ServeDocument'],
  ['a failure', 'cli/failure.ts', 'ErrorDocument'],
]
const PARTS = [
  ['profile/profile.ts', 'ProfileFile', 'ByteRange'],
  ['result.ts', 'ContentResult', 'PlatformResult', 'LayerResult'],
  ['inspect.ts', 'InspectedPlatform', 'InspectedLayer'],
  ['disk-usage.ts', 'DiskUsage'],
  ['diff.ts', 'DiffPlatform', 'DiffLayer'],
  ['remove-soci.ts', 'SociIndexResult'],
  ['verifying/finding.ts', 'Finding', 'FindingCode'],
  ['backfill.ts', 'BackfillImage'],
  ['prune.ts', 'PrunedImage'],
  ['simulating/compare-ways.ts', 'SimulatedWay'],
  ['simulating/start-time.ts', 'SimulatedStart', 'StartConditions', 'Link'],
  ['image/eligibility.ts', 'Eligibility'],
  ['image.ts', 'ImageEntry', 'EntryType', 'FetchStatistics'],
  ['reading/extract-result.ts', 'ExtractResult', 'SkippedEntry'],
  ['../../oci/src/document/descriptor.ts', 'Platform'],
]

function page() {
  // Variables set here must not change the page, nor fail it.
  const terminal = new Terminal(
    { stdout: process.stdout, stderr: process.stderr, env: {} },
    new AbortController().signal,
  )
  const program = buildProgram(terminal)
  return `${[
    '<!-- Made by packages/sociable/scripts/docs.mjs from the program itself: change it there. -->',
    '# The `sociable` command line',
    program.description(),
    ...TOPICS.flatMap(topicSection),
    '## Flags of all commands',
    optionTable(program),
    ...program.commands.flatMap(commandSection),
    '## JSON',
    JSON_NOTE,
    ...DOCUMENTS.flatMap(([command, file, type]) => [`### ${heading(command)}`, source(file, [type])]),
    '### Parts of these',
    ...PARTS.map(([file, ...types]) => source(file, types)),
  ].join('\n\n')}\n`
}

const heading = (command) => (command === 'a failure' ? 'Of a failure' : `\`${command} --json\``)

const JSON_NOTE = `With \`--json\` stdout has one JSON document. Its shape is stable: members may be added, none goes away or changes its meaning within a major
version. They are the library's own types, here in TypeScript (\`readonly\` left out; \`?\`: the member may be absent).`

/** What `sociable help TOPIC` prints. */
function topicSection({ title, parts }) {
  const text = parts.map((part) => {
    if (typeof part === 'string') return part
    const rows = part.rows.map(([term, meaning]) => row(term, meaning))
    return [`| ${part.head.join(' | ')} |`, '|---|---|', ...rows].join('\n')
  })
  return [`## ${title}`, ...text]
}

function commandSection(command) {
  const parts = [`## \`sociable ${command.name()}\``, `${command.description()}`]
  parts.push(`\`\`\`\nsociable ${command.name()} ${command.usage()}\n\`\`\``)
  parts.push(
    [
      '| argument | |',
      '|---|---|',
      ...command.registeredArguments.map((a) => row(argumentName(a), a.description)),
    ].join('\n'),
  )
  if (command.options.some((option) => !option.hidden)) parts.push(optionTable(command))
  const examples = examplesOf(command).map(({ command, does }) => `# ${does}\n${command}`)
  parts.push(`\`\`\`sh\n${examples.join('\n')}\n\`\`\``)
  return parts
}

function argumentName(argument) {
  const name = argument.name() + (argument.variadic ? '...' : '')
  return argument.required ? `<${name}>` : `[${name}]`
}

function optionTable(command) {
  const rows = command.options.filter((o) => !o.hidden).map((o) => row(o.flags, o.description))
  return ['| flag | |', '|---|---|', ...rows].join('\n')
}

function row(name, description) {
  return `| \`${name}\` | ${description.replaceAll('|', '\\|')} |`
}

/** The named types as the source has them. */
function source(file, types) {
  const text = readFileSync(new URL(`../src/${file}`, import.meta.url), 'utf8')
  const blocks = types.map((type) => {
    const found = new RegExp(
      `^(/\\*\\*(?:(?!\\*/)[^])*\\*/\\n)?export (interface ${type}\\b[^]*?^\\}|type ${type} =[^\\n]*(?:\\n  \\|[^\\n]*)*)`,
      'm',
    ).exec(text)
    if (found === null) throw new Error(`src/${file} has no type ${type}`)
    return `${found[1] ?? ''}${found[2]}`.replaceAll('readonly ', '')
  })
  return `\`\`\`ts\n${blocks.join('\n\n')}\n\`\`\``
}

const made = page()
if (!process.argv.includes('--check')) writeFileSync(PAGE, made)
else if (readFileSync(PAGE, 'utf8') !== made) {
  console.error('docs/cli.md is out of step with the program: run `node packages/sociable/scripts/docs.mjs`')
  process.exitCode = 1
}
