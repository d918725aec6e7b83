// Registries of others, started for a test on a free port of 127.0.0.1 with storage that goes with them.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { temporaryFolder, tool } from '../tools.js'
import type { Certificate } from './certificate.js'
import { startChild } from './child.js'

export interface RunningRegistry {
  /** `127.0.0.1:40123` */
  readonly host: string
  /** `http://127.0.0.1:40123`, or with https. */
  readonly url: string
  /** What it has printed so far. */
  log(): string
  /** Ends it before the test's end does. */
  stop(): Promise<void>
}

export interface TokenAuth {
  /** Address of the token server, which clients are sent to. */
  readonly realm: string
  readonly service: string
  readonly issuer: string
  /** PEM of the certificate that signs the tokens. */
  readonly certificate: string
}

export interface DockerRegistryOptions {
  /** Speak TLS with it. @default plain HTTP */
  readonly tls?: Certificate | undefined
  /** `basic`: only for BASIC_USER with BASIC_PASSWORD. @default everybody may do everything */
  readonly auth?: 'basic' | TokenAuth | undefined
  /** Whether contents may be deleted. @default true */
  readonly delete?: boolean | undefined
}

export const BASIC_USER = 'tester'
export const BASIC_PASSWORD = 'correct horse'
/** bcrypt of BASIC_PASSWORD at its lowest cost. */
const HTPASSWD = `${BASIC_USER}:$2b$04$gEm3xn1pHAKwg/fUAhwckuD4vhk3BrYI43L4AP2AQ1.LG597lY3r2\n`

/**
 * Debian's docker-registry (distribution 2.8): no referrers API, uploads in chunks or whole, mounts. It ends with the test.
 * `undefined` where it cannot be had: then the test was skipped.
 */
export async function startDockerRegistry(
  t: TestContext,
  options: DockerRegistryOptions = {},
): Promise<RunningRegistry | undefined> {
  const command = await tool(t, 'docker-registry')
  if (command === undefined) return undefined
  const folder = temporaryFolder(t)
  const file = (name: string, content: string) => {
    const path = join(folder, name)
    writeFileSync(path, content)
    return path
  }
  const { tls, auth } = options
  // JSON is YAML too.
  const configuration = {
    version: '0.1',
    log: { level: 'info', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(folder, 'storage') }, delete: { enabled: options.delete ?? true } },
    http: {
      addr: '127.0.0.1:0',
      secret: 'of no use outside of the test',
      ...(tls && { tls: { certificate: file('tls.pem', tls.certificate), key: file('tls.key', tls.key) } }),
    },
    ...(auth === 'basic' && { auth: { htpasswd: { realm: 'test', path: file('htpasswd', HTPASSWD) } } }),
    ...(typeof auth === 'object' && {
      auth: {
        token: {
          realm: auth.realm,
          service: auth.service,
          issuer: auth.issuer,
          rootcertbundle: file('token.pem', auth.certificate),
        },
      },
    }),
  }
  const path = file('config.yml', JSON.stringify(configuration))
  const child = await startChild(command, ['serve', path], /listening on 127\.0\.0\.1:(\d+)/, {
    PATH: process.env.PATH,
    OTEL_TRACES_EXPORTER: 'none',
  })
  t.after(child.stop)
  const host = `127.0.0.1:${child.match[1]}`
  return { host, url: `${tls ? 'https' : 'http'}://${host}`, log: child.log, stop: child.stop }
}

/**
 * The registry of go-containerregistry (`crane registry serve`), in memory: without the referrers API, plain HTTP. It ends with the test.
 * `undefined` where it cannot be had: then the test was skipped.
 */
export async function startCraneRegistry(t: TestContext): Promise<RunningRegistry | undefined> {
  return startGoRegistry(t, 'crane', ['registry', 'serve', '--address', '127.0.0.1:0'])
}

/** Registries with the referrers API, by the library that they are made of. */
export type ReferrersRegistry =
  /** CUE Labs': answers `OCI-Subject` to a push, and filters. */
  | 'ociregistry'
  /** go-containerregistry's: without `OCI-Subject`, and with all referrers whatever type is asked for. */
  | 'go-containerregistry'

/**
 * A registry with the referrers API, in memory, plain HTTP. It ends with the test.
 * `undefined` where it cannot be had: then the test was skipped.
 */
export async function startReferrersRegistry(
  t: TestContext,
  kind: ReferrersRegistry,
): Promise<RunningRegistry | undefined> {
  return startGoRegistry(t, 'referrers-registry', [kind])
}

async function startGoRegistry(
  t: TestContext,
  name: string,
  args: readonly string[],
): Promise<RunningRegistry | undefined> {
  const command = await tool(t, name)
  if (command === undefined) return undefined
  const child = await startChild(command, args, /serving on port (\d+)/)
  t.after(child.stop)
  const host = `127.0.0.1:${child.match[1]}`
  return { host, url: `http://${host}`, log: child.log, stop: child.stop }
}
