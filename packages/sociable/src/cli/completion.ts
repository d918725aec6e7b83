import { Argument, Command } from 'commander'
import type { Shell } from './completion-script.js'
import { addExamples } from './examples.js'
import type { Terminal } from './terminal.js'

export function completionCommand(terminal: Terminal): Command {
  const command = new Command('completion')
    .summary('print a completion script for your shell')
    .description(
      'Prints a script with which the shell completes commands, flags, values, and the names of images in layouts and archives.',
    )
    .addArgument(
      new Argument('<shell>', 'bash, zsh, fish or powershell').choices(['bash', 'zsh', 'fish', 'powershell']),
    )
  addExamples(command, [
    { command: 'source <(sociable completion bash)', does: 'load it in ~/.bashrc, or with zsh in ~/.zshrc' },
    { command: 'sociable completion fish > ~/.config/fish/completions/sociable.fish', does: 'install it for fish' },
    { command: 'sociable completion powershell | Out-String | Invoke-Expression', does: 'load it in $PROFILE' },
  ])
  return command.action(async (shell: Shell) => {
    const { completionScript } = await import('./completion-script.js')
    await terminal.write(completionScript(command.parent!, shell))
  })
}
