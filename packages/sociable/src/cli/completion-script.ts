// Completion scripts for shells, made from the program itself: they know each command's flags and what some of them take, and need no
// process to be started while a person types.
import type { Command, Option } from 'commander'
import { TOPICS } from './topics.js'

export type Shell = 'bash' | 'zsh' | 'fish' | 'powershell'
export const SHELLS: readonly Shell[] = ['bash', 'zsh', 'fish', 'powershell']

/** The script for a shell to read, as `source <(sociable completion bash)`. */
export function completionScript(program: Command, shell: Shell): string {
  if (shell === 'fish') return fishScript(program)
  if (shell === 'powershell') return powershellScript(program)
  const bash = bashFunction(program, shell)
  return shell === 'bash' ? `${bash}complete -o default -F _sociable sociable\n` : bash + ZSH
}

const TRANSPORTS = ['oci:', 'oci-archive:', 'docker-archive:']
/** A layout or archive whose images are to be completed: a transport, a path, and the beginning of a name. */
const TAGGED = `(${TRANSPORTS.map((transport) => transport.slice(0, -1)).join('|')}):([^:]+):`
const FILE_FLAGS = ['--output', '--prefetch-files-json', '--root']
/** What flags take whose values are checked by a function of their own. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  '--platform': ['linux/amd64', 'linux/arm64'],
  '--optimizations': ['xattr'],
  '--profile-spans': ['on', 'off'],
  '--recompress': ['gzip'],
  '--start-layer': ['zstd', 'gzip', 'none'],
}

/** What may stand after a flag: words, files, or free text (a size). */
function valuesOf(option: Option): readonly string[] | 'files' | undefined {
  const long = option.long ?? ''
  if (FILE_FLAGS.includes(long)) return 'files'
  return option.argChoices ?? VALUES[long]
}

/** Commands whose arguments are neither images nor files. */
const NO_IMAGES = ['completion', 'help']

function operandsOf(command: Command, program: Command): readonly string[] {
  if (command.name() === 'completion') return SHELLS
  if (command.name() !== 'help') return TRANSPORTS
  return [...program.commands.map((each) => each.name()), ...TOPICS.map(({ name }) => name)]
}

function visible(command: Command): Option[] {
  return command.options.filter((option) => !option.hidden)
}

function names(options: readonly Option[]): string[] {
  return options.flatMap(({ short, long }) => [short, long]).filter((name) => name !== undefined)
}

/** Flags of all commands, each once. */
function allOptions(program: Command): Option[] {
  return [...new Map([program, ...program.commands].flatMap(visible).map((option) => [option.long, option])).values()]
}

function globalFlags(program: Command): string[] {
  return [...names(program.options), '-h', '--help']
}

/** The names in a layout or archive. The shell takes words apart at colons: only what is behind the last one is replaced. */
const BASH_TAGS = `  local typed=\${COMP_LINE:0:COMP_POINT} tag
  typed=\${typed##* }
  if [[ $typed =~ ^${TAGGED}(.*)$ ]]; then
    local begun=\${BASH_REMATCH[3]}
    [[ $cur == : ]] && cur=''
    for tag in $("\${COMP_WORDS[0]}" tags --quiet "\${BASH_REMATCH[1]}:\${BASH_REMATCH[2]}" 2>/dev/null); do
      [[ $tag == "$begun"* ]] && COMPREPLY+=("\${tag:\${#begun}-\${#cur}}")
    done
    return 0
  fi
`

/** Words are completed here; where it finds none (a path, what follows `oci:`) the shell completes file names by itself. */
function bashFunction(program: Command, shell: 'bash' | 'zsh'): string {
  const commands = program.commands.map((command) => command.name())
  const global = globalFlags(program)
  const commandCases = program.commands.map((command) => {
    const flags = [...names(visible(command)), ...global].join(' ')
    return `    ${command.name()}) flags='${flags}' operands='${operandsOf(command, program).join(' ')}' ;;`
  })
  const valueCases = allOptions(program)
    .filter(({ required }) => required)
    .map((option) => {
      const values = valuesOf(option)
      const reply = Array.isArray(values) ? `COMPREPLY=($(compgen -W '${values.join(' ')}' -- "$cur")); ` : ''
      return `    ${names([option]).join('|')}) ${reply}return ;;`
    })
  return `_sociable() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} command='' word
  local flags='${global.join(' ')}' operands='${commands.join(' ')}'
  COMPREPLY=()
${shell === 'bash' ? BASH_TAGS : ''}  case $prev in
    :) return ;;
${valueCases.join('\n')}
  esac
  for word in "\${COMP_WORDS[@]:1:$((COMP_CWORD - 1))}"; do
    case $word in ${commands.join('|')}) command=$word; break ;; esac
  done
  case $command in
${commandCases.join('\n')}
  esac
  if [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$cur"))
  else
    COMPREPLY=($(compgen -W "$operands" -- "$cur"))
    [[ "\${COMPREPLY[*]}" == *: ]] && compopt -o nospace 2>/dev/null
  fi
  return 0
}
`
}

/** zsh runs bash's completion, but does not take words apart at colons. */
const ZSH = `autoload -U +X compinit && compinit
autoload -U +X bashcompinit && bashcompinit
_sociable_zsh() {
  case $words[CURRENT] in
    (${TRANSPORTS.map((transport) => `${transport}?*:*`).join('|')})
      local place=\${words[CURRENT]#*:}
      compadd -p "\${words[CURRENT]%%:*}:\${place%%:*}:" -- \${(f)"$($words[1] tags --quiet \${words[CURRENT]%%:*}:\${place%%:*} 2>/dev/null)"}
      return ;;
    (${TRANSPORTS.map((transport) => `${transport}*`).join('|')}) compset -P '*:'; _files; return ;;
  esac
  if (( CURRENT > 2 )) && [[ $words[CURRENT] == (d|o)* && $words[2] != help ]]; then
    compadd -S '' -- ${TRANSPORTS.join(' ')}
    _files
  else
    _bash_complete -o default -F _sociable
  fi
}
compdef _sociable_zsh sociable
`

/** The names in a layout or archive, with what is typed before them. */
const FISH_TAGS = `function __sociable_tags
  set -l place (commandline -ct | string match -rg '^([^:]+:[^:]+):')
  and sociable tags --quiet $place 2>/dev/null | string replace -r '^' "$place:"
end
complete -c sociable -n "commandline -ct | string match -qr '^${TAGGED}'" -f -a '(__sociable_tags)'
`

function fishScript(program: Command): string {
  const lines = program.commands.map(
    (command) =>
      `complete -c sociable -n __fish_use_subcommand -f -a ${command.name()} -d ${fishQuote(command.summary())}`,
  )
  lines.push(...visible(program).map((option) => fishOption(option, '')))
  for (const command of program.commands) {
    const condition = `-n '__fish_seen_subcommand_from ${command.name()}' `
    lines.push(...visible(command).map((option) => fishOption(option, condition)))
    const files = NO_IMAGES.includes(command.name()) ? '-f ' : ''
    lines.push(`complete -c sociable ${condition}${files}-a '${operandsOf(command, program).join(' ')}'`)
  }
  return `${lines.join('\n')}\n${FISH_TAGS}`
}

function fishOption(option: Option, condition: string): string {
  const short = option.short === undefined ? '' : ` -s ${option.short.slice(1)}`
  const values = valuesOf(option)
  const value = !option.required
    ? ''
    : values === 'files'
      ? ' -r'
      : ` -x${values === undefined ? '' : ` -a '${values.join(' ')}'`}`
  return `complete -c sociable ${condition}-l ${option.long?.slice(2)}${short}${value} -d ${fishQuote(option.description)}`
}

function fishQuote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}

/** Where it finds nothing, PowerShell completes file names. */
function powershellScript(program: Command): string {
  const list = (words: readonly string[]): string => `@(${words.map(powershellQuote).join(', ')})`
  const table = (rows: readonly (readonly [string, string])[]): string =>
    `@{\n${rows.map(([key, value]) => `    ${powershellQuote(key)} = ${value}`).join('\n')}\n  }`
  const global = globalFlags(program)
  const flags = program.commands.map((each) => [each.name(), list([...names(visible(each)), ...global])] as const)
  const operands = program.commands.map((each) => [each.name(), list(operandsOf(each, program))] as const)
  const takers = allOptions(program).filter(({ required }) => required)
  const values = takers.flatMap((option) => {
    const words = valuesOf(option)
    return names([option]).map((name) => [name, list(Array.isArray(words) ? words : [])] as const)
  })
  return `Register-ArgumentCompleter -Native -CommandName sociable -ScriptBlock {
  param($word, $ast, $position)
  $flags = ${table(flags)}
  $operands = ${table(operands)}
  # By flag: what it takes, nothing for files and free text
  $values = ${table(values)}
  $before = @($ast.CommandElements | Where-Object { $_.Extent.EndOffset -lt $position } | ForEach-Object { $_.Extent.Text })
  $command = $before | Select-Object -Skip 1 | Where-Object { $flags.ContainsKey($_) } | Select-Object -First 1
  $found = if ($word -cmatch '^${TAGGED}') {
    $place = "$($Matches[1]):$($Matches[2])"
    & $before[0] tags --quiet $place 2>$null | ForEach-Object { "\${place}:$_" }
  } elseif ($values.ContainsKey($before[-1])) {
    $values[$before[-1]]
  } elseif ($word.StartsWith('-')) {
    if ($command) { $flags[$command] } else { ${list(global)} }
  } elseif ($command) {
    $operands[$command]
  } else {
    $flags.Keys | Sort-Object
  }
  $found | Where-Object { $_ -and $_.StartsWith($word) } | ForEach-Object {
    [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
  }
}
`
}

function powershellQuote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
