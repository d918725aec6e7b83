#!/usr/bin/env node
// What comes first: a stdout that ends early, and the version, for which nothing else is loaded.
import { packageVersion } from './version.js'

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // The reader of stdout has seen enough (`| head`): this is not an error.
  if (error.code === 'EPIPE') process.exit(process.exitCode)
  process.stderr.write(`error: stdout cannot be written: ${error.message}\n`)
  process.exit(1)
})
process.stderr.on('error', () => {})

const [flag, ...rest] = process.argv.slice(2)
if (rest.length === 0 && (flag === '--version' || flag === '-V')) process.stdout.write(`${packageVersion()}\n`)
else await import('./session.js')
