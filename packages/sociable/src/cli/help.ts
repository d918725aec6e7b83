import { Command } from 'commander'
import { addExamples } from './examples.js'
import { UsageError } from './failure.js'
import type { Terminal } from './terminal.js'
import { TOPICS, type Topic } from './topics.js'

/** In place of commander's own `help`, which knows commands only. */
export function helpCommand(terminal: Terminal): Command {
  const command = new Command('help')
    .summary('print help for a command or a topic')
    .description(`Prints help for a command or a topic: ${TOPICS.map(({ name }) => name).join(', ')}.`)
    .argument('[topic]', 'a command or a topic (default: the help of the program)')
  addExamples(command, [
    { command: 'sociable help convert', does: 'print the same as sociable convert --help' },
    { command: 'sociable help registries', does: 'read how registries are used' },
  ])
  return command.action(async (name: string | undefined) => {
    const program = command.parent!
    const topic = TOPICS.find((each) => each.name === name)
    if (topic !== undefined) return await terminal.write(topicText(topic, program))
    const about = name === undefined ? program : program.commands.find((each) => each.name() === name)
    if (about === undefined)
      throw new UsageError(`there is no help for "${name}"`, {
        hint: `See \`sociable --help\` for the commands; the topics are ${TOPICS.map(({ name }) => name).join(', ')}.`,
      })
    about.outputHelp()
  })
}

function topicText({ title, parts }: Topic, program: Command): string {
  const helper = Object.assign(program.createHelp(), program.configureHelp())
  helper.prepareContext({ helpWidth: program.configureOutput().getOutHelpWidth?.() ?? 80 })
  const paragraphs = parts.map((part) => {
    if (typeof part === 'string') return helper.boxWrap(plain(part), helper.helpWidth ?? 80)
    const width = Math.max(...part.rows.map(([term]) => term.length))
    return part.rows.map(([term, meaning]) => helper.formatItem(term, width, plain(meaning), helper)).join('\n')
  })
  return `${[title, ...paragraphs].join('\n\n')}\n`
}

function plain(text: string): string {
  return text.replaceAll('`', '')
}
