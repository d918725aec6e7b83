#!/usr/bin/env node
// `sociable-docker`: runs docker with the same arguments. After a push it creates a SOCI-enabled copy of the image in the registry.
import { fileURLToPath } from 'node:url'
import { endAs, type ProgramEnd, runProgram } from '../cli/run-program.js'
import { type DockerCommand, parseDockerCommand } from './docker-arguments.js'

/** Set for the program that is run: where it is found at the start, the program is this one again. */
const RUNNING = 'SOCIABLE_DOCKER_RUNNING'
const NOT_FOUND = 127 // as a shell's

const environment = process.env
const args = process.argv.slice(2)

process.exitCode = await main()

async function main(): Promise<number> {
  const program = environment.SOCIABLE_DOCKER || 'docker'
  if (environment[RUNNING] !== undefined)
    return fail(`${program} is sociable-docker itself: set SOCIABLE_DOCKER to the real docker, podman or finch`)
  const command = parseDockerCommand(args)
  const ended = await runDocker(program)
  if (ended === undefined) return NOT_FOUND
  if (ended.status !== 0) endAs(ended)
  if (command.pushesAll) say('a push of all tags creates no SOCI indexes: run `sociable backfill`, or push single tags')
  if (command.pushed === undefined) return 0
  return await convert(command.pushed, command)
}

async function runDocker(program: string): Promise<ProgramEnd | undefined> {
  try {
    return await runProgram(program, args, { stdio: 'inherit', env: { ...environment, [RUNNING]: '1' } })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    fail(
      code === 'ENOENT'
        ? `${program} is not installed, or not on the PATH. SOCIABLE_DOCKER names another program`
        : `${program} cannot be started: ${message}`,
    )
    return undefined
  }
}

/** Runs `sociable convert`, whose flags can be set by variables. Its output goes to stderr, so that stdout is docker's alone. */
async function convert(image: string, { config }: DockerCommand): Promise<number> {
  const cli = fileURLToPath(new URL('../cli/sociable.js', import.meta.url))
  const ended = await runProgram(process.execPath, [...process.execArgv, cli, 'convert', image], {
    stdio: ['ignore', process.stderr, process.stderr],
    env: config === undefined ? environment : { ...environment, DOCKER_CONFIG: config, REGISTRY_AUTH_FILE: '' },
  })
  if (ended.signal !== null) endAs(ended)
  if (ended.status === 0) return 0
  if (isYes(environment.SOCIABLE_DOCKER_OPTIONAL)) {
    say(`warning: ${image} was pushed without a SOCI-enabled copy`)
    return 0
  }
  return fail(
    `${image} was pushed, but has no SOCI-enabled copy. Run \`sociable convert ${image}\`, or set SOCIABLE_DOCKER_OPTIONAL=1 to continue without it`,
  )
}

function isYes(value = ''): boolean {
  return ['1', 'true', 'yes', 'on'].includes(value.trim().toLowerCase())
}

function fail(message: string): number {
  say(`error: ${message}`)
  return 1
}

function say(message: string): void {
  process.stderr.write(`sociable-docker: ${message}\n`)
}
