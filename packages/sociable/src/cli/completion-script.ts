// Completion scripts for shells, made from the program itself: they know each command's flags and what some of them take, and need no
// process to be started while a person types.
import type { Command, Option } from 'commander'
import { TOPICS } from './topics.js'

export type Shell = 'bash' | 'zsh' | 'fish'
export const SHELLS: readonly Shell[] = ['bash', 'zsh', 'fish']

/** The script for a shell to read, as `source <(sociable completion bash)`. */
export function completionScript(program: Command, shell: Shell): string {
  if (shell === 'fish') return fishScript(program)
  const bash = bashFunction(program)
  return shell === 'bash' ? `${bash}complete -o default -F _sociable sociable\n` : bash + ZSH
}

const PLATFORMS = ['linux/amd64', 'linux/arm64']
const TRANSPORTS = ['oci:', 'oci-archive:', 'docker-archive:']
const FILE_FLAGS = ['--output', '--prefetch-files-json']

/** What may stand after a flag: words, files, or free text (a size). */
function valuesOf(option: Option): readonly string[] | 'files' | undefined {
  if (option.long === '--platform') return PLATFORMS
  if (option.argChoices !== undefined) return option.argChoices
  return FILE_FLAGS.includes(option.long ?? '') ? 'files' : undefined
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

/** Words are completed here; where it finds none (a path, what follows `oci:`) the shell completes file names by itself. */
function bashFunction(program: Command): string {
  const commands = program.commands.map((command) => command.name())
  const global = [...names(program.options), '-h', '--help']
  const commandCases = program.commands.map((command) => {
    const flags = [...names(visible(command)), ...global].join(' ')
    return `    ${command.name()}) flags='${flags}' operands='${operandsOf(command, program).join(' ')}' ;;`
  })
  const options = new Map([program, ...program.commands].flatMap(visible).map((option) => [option.long, option]))
  const valueCases = [...options.values()]
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
  case $prev in
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
  return `${lines.join('\n')}\n`
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
