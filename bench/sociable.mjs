import { fileURLToPath } from 'node:url'

/** The command line of this work tree, to be followed by its arguments. */
export const sociable = [
  process.execPath,
  fileURLToPath(new URL('../packages/sociable/dist/bin/cli/sociable.js', import.meta.url)),
]
