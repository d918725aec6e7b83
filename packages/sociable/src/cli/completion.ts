import { Argument, Command } from 'commander'
import { addExamples } from './examples.js'
import type { Terminal } from './terminal.js'

export function completionCommand(terminal: Terminal): Command {
  const command = new Command('completion')
    .summary('print a completion script for your shell')
    .description('Prints a script with which the shell completes commands, flags and values.')
    .addArgument(new Argument('<shell>', 'bash, zsh or fish').choices(['bash', 'zsh', 'fish']))
  addExamples(command, [
    { command: 'source <(sociable completion bash)', does: 'load it in ~/.bashrc, or with zsh in ~/.zshrc' },
    { command: 'sociable completion fish > ~/.config/fish/completions/sociable.fish', does: 'install it for fish' },
  ])
  return command.action(async (shell: 'bash' | 'zsh' | 'fish') => {
    const { completionScript } = await import('./completion-script.js')
    await terminal.write(completionScript(command.parent!, shell))
  })
}
