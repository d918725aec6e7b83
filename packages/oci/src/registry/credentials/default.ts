import { homedir } from 'node:os'
import { join } from 'node:path'
import { authFile, authText } from './auth-file.js'
import { type Credentials, firstOf } from './credential.js'
import { type EcrApi, ecrCredentials } from './ecr.js'

/**
 * The logins that are on this machine, in this order: the text in `DOCKER_AUTH_CONFIG`; the file that `REGISTRY_AUTH_FILE` names; docker's `config.json` (in `DOCKER_CONFIG`, else
 * `~/.docker`); podman's `auth.json` (in `XDG_RUNTIME_DIR`, then in `XDG_CONFIG_HOME`); for Amazon ECR the AWS SDK's default chain. Of one registry's
 * several logins the next is tried where one is refused.
 */
export function defaultCredentials(environment: NodeJS.ProcessEnv = process.env, ecr?: EcrApi): Credentials {
  const { DOCKER_AUTH_CONFIG = '', REGISTRY_AUTH_FILE, XDG_RUNTIME_DIR, XDG_CONFIG_HOME } = environment
  const home = homeOf(environment)
  const files = [
    REGISTRY_AUTH_FILE,
    dockerConfigFile(environment),
    XDG_RUNTIME_DIR && join(XDG_RUNTIME_DIR, 'containers', 'auth.json'),
    join(XDG_CONFIG_HOME || join(home, '.config'), 'containers', 'auth.json'),
  ]
  return firstOf(
    ...(DOCKER_AUTH_CONFIG.trim() === '' ? [] : [authText('DOCKER_AUTH_CONFIG', DOCKER_AUTH_CONFIG)]),
    ...files.filter((file) => file !== undefined && file !== '').map((file) => authFile(file!)),
    ecrCredentials(ecr),
  )
}

/** Docker's configuration file, where `docker login` keeps logins. */
export function dockerConfigFile(environment: NodeJS.ProcessEnv = process.env): string {
  return join(environment.DOCKER_CONFIG || join(homeOf(environment), '.docker'), 'config.json')
}

function homeOf({ HOME }: NodeJS.ProcessEnv): string {
  return HOME || homedir()
}
