import { Argument, Command } from 'commander'
import { addExamples } from './examples.js'
import type { Terminal } from './terminal.js'

export function completionCommand(terminal: Terminal): Command {
  const command = new Command('completion')
    .summary('print a completion script for your shell')
    .description("Prints a script that lets a shell complete this program's commands and flags.")
    .addArgument(new Argument('<shell>', 'bash, zsh or fish').choices(['bash', 'zsh', 'fish']))
  addExamples(command, [
    { command: 'source <(sociable completion bash)', does: 'in ~/.bashrc or ~/.zshrc (there with zsh)' },
    { command: 'sociable completion fish > ~/.config/fish/completions/sociable.fish', does: 'for fish' },
  ])
  return command.action(async (shell: 'bash' | 'zsh' | 'fish') => {
    const { completionScript } = await import('./completion-script.js')
    await terminal.write(completionScript(command.parent!, shell))
  })
}
