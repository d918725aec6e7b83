// Writes docs/cli.md from the program itself and from the types of what --json prints. `--check` fails where the page is out of step.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { examplesOf } from '../dist/src/cli/examples.js'
import { buildProgram } from '../dist/src/cli/program.js'
import { Terminal } from '../dist/src/cli/terminal.js'

const PAGE = fileURLToPath(new URL('../../../docs/cli.md', import.meta.url))

/** The types of the JSON documents, in the order of the page, with the files that have them. */
const DOCUMENTS = [
  ['convert', 'result.ts', 'ConvertResult'],
  ['create', 'result.ts', 'CreateResult'],
  ['ztoc', 'cli/ztoc.ts', 'ZtocDocument'],
  ['copy', 'copy-image.ts', 'CopyImageResult'],
  ['rm', 'remove-soci.ts', 'RemoveSociResult'],
  ['inspect', 'inspect.ts', 'InspectResult'],
  ['ls', 'cli/ls.ts', 'LsDocument'],
  ['serve', 'cli/serve.ts', 'ServeDocument'],
  ['a failure', 'cli/failure.ts', 'ErrorDocument'],
]
const PARTS = [
  ['result.ts', 'ContentResult', 'PlatformResult', 'LayerResult'],
  ['inspect.ts', 'InspectedPlatform', 'InspectedLayer'],
  ['remove-soci.ts', 'SociIndexResult'],
  ['eligibility.ts', 'Eligibility'],
  ['image.ts', 'ImageEntry', 'EntryType', 'FetchStatistics'],
  ['../../oci/src/descriptor.ts', 'Platform'],
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
    IMAGES,
    '## Flags of all commands',
    optionTable(program),
    VARIABLES,
    OUTPUT,
    ...program.commands.flatMap(commandSection),
    '## JSON',
    JSON_NOTE,
    ...DOCUMENTS.flatMap(([command, file, type]) => [`### ${heading(command)}`, source(file, [type])]),
    '### Parts of these',
    ...PARTS.map(([file, ...types]) => source(file, types)),
  ].join('\n\n')}\n`
}

const heading = (command) => (command.includes(' ') ? 'Of a failure' : `\`${command} --json\``)

const IMAGES = `## Images

| form | meaning |
|---|---|
| \`REGISTRY/NAME[:TAG]\` | an image in a registry (\`docker.io\`, \`latest\` and short names as docker has them) |
| \`oci:DIR[:TAG]\` | an OCI image layout. Without a tag its only image; a layout's other images stay as they are |
| \`oci-archive:FILE[:TAG]\` | the same in a tar file |
| \`docker-archive:FILE[:NAME:TAG]\` | what \`docker save\` writes; a source only |
| \`-\` | an archive on standard input or output; for \`ztoc\` a layer |

Each may end in \`@sha256:…\` to name a manifest by its digest.

Logins for registries are those of this machine: the file that \`REGISTRY_AUTH_FILE\` names, Docker's \`config.json\` with its credential helpers, podman's
\`auth.json\`, and for Amazon ECR the AWS SDK's default provider chain, with no login needed; \`--username\` with \`--password-stdin\` is used in
their place for the destination's registry (where the destination is in none, for the source's). \`HTTPS_PROXY\`, \`NO_PROXY\` and
\`NODE_EXTRA_CA_CERTS\` are heeded. This machine's registries may speak plain HTTP; others with \`--plain-http\`.`

const VARIABLES = `Every flag can be set by an environment variable too: \`--span-size\` by \`SOCIABLE_SPAN_SIZE\`, and so on; the flag wins. Switches take
\`1\` or \`0\`, lists commas (\`SOCIABLE_PREFETCH_FILE\`: a path a line), and an empty variable counts as unset. \`NO_COLOR\` and \`FORCE_COLOR\` are heeded.

Sizes are bytes, or have a unit: \`4MiB\` and \`4M\` are 4 × 1024² bytes, \`4MB\` is 4 × 1000².`

const OUTPUT = `## Output and exit status

Results go to stdout, all else to stderr. On a terminal stderr shows a bar per layer and a summary; in CI (\`CI\` is set, or one of the variables
of CodeBuild, Azure Pipelines, Jenkins and TeamCity), and with \`--verbose\`, a line per finished layer and the summary; otherwise only warnings
and errors. An error has one to three lines; \`--verbose\` adds the stack.

| status | meaning |
|---|---|
| 0 | done. Also where nothing could be indexed: the destination is made all the same and the reason printed, unless \`--require-index\` |
| 1 | failed |
| 2 | wrong usage: an unknown flag, a bad value, an image's name that is none |
| by signal (130 for Ctrl-C) | interrupted: within a second, with nothing half-made left behind; a second Ctrl-C kills at once |

A reader that closes our stdout early (\`| head\`) is no error.`

const JSON_NOTE = `With \`--json\` stdout has one JSON document. Its shape is stable: members may be added, none goes away or changes its meaning within a major
version. They are the library's own types, here in TypeScript (\`readonly\` left out; \`?\`: the member may be absent).`

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
      `^(/\\*\\*(?:(?!\\*/)[^])*\\*/\\n)?export (interface ${type}\\b[^]*?^\\}|type ${type} = [^\\n]*)`,
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
