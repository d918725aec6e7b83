// Which images of a registry a command is about.
import type { Command } from 'commander'
import { addOptions, option } from './option.js'
import { parsePatterns } from './values.js'

export interface SelectionFlags {
  readonly repository?: readonly string[]
  readonly tag?: readonly string[]
}

/** @param tags whose tags --tag is about */
export function addSelectionOptions(command: Command, tags: string): Command {
  return addOptions(
    command,
    option('--repository <pattern>', 'repositories; * matches any text; repeatable (default: all)', parsePatterns),
    option('--tag <pattern>', `${tags}; * matches any text; repeatable (default: all)`, parsePatterns),
  )
}
