#!/usr/bin/env node
// `docker soci …`: sociable as a plugin of docker's command line (docker/cli, cli-plugins/manager: metadata and arguments of a plugin).
import { fileURLToPath } from 'node:url'
import { endAs, runProgram } from '../cli/run-program.js'
import { packageVersion } from '../cli/version.js'
import { parsePluginCommand } from './docker-arguments.js'

const METADATA_COMMAND = 'docker-cli-plugin-metadata'
const METADATA = {
  SchemaVersion: '0.1.0',
  Vendor: 'sociable',
  Version: packageVersion(),
  ShortDescription: 'Create and read SOCI indexes',
  URL: 'https://github.com/sociable/sociable',
}

if (process.argv[2] === METADATA_COMMAND) process.stdout.write(`${JSON.stringify(METADATA)}\n`)
else {
  const { args, config } = parsePluginCommand(process.argv.slice(2), 'soci')
  const cli = fileURLToPath(new URL('../cli/sociable.js', import.meta.url))
  const env = config === undefined ? process.env : { ...process.env, DOCKER_CONFIG: config }
  endAs(await runProgram(process.execPath, [...process.execArgv, cli, ...args], { stdio: 'inherit', env }))
}
