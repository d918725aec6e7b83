import { type EcrHost, parseEcrHost } from '../../document/ecr-host.js'
import { StoreError } from '../../error.js'
import type { CallOptions } from '../../store.js'
import { AWS_TIMEOUTS, awsRequestHandler } from '../aws-request-handler.js'
import { withEcr } from '../ecr-client.js'
import type { Credential, Credentials } from './credential.js'

const PUBLIC_ECR = 'public.ecr.aws'
const PUBLIC_ECR_REGION = 'us-east-1' // the one region that gives its tokens
const RENEW_BEFORE = 30 * 60_000 // ms of a token's 12 h

/** What a token's API gives. */
export interface EcrToken {
  /** Base64 of `AWS:password`. */
  readonly authorizationToken?: string | undefined
  readonly expiresAt?: Date | undefined
}

/** The calls of the AWS SDK: for tests, or for a client of one's own. */
export interface EcrApi {
  token(host: EcrHost, options: CallOptions): Promise<EcrToken | undefined>
  publicToken(options: CallOptions): Promise<EcrToken | undefined>
}

/**
 * Logs in to Amazon ECR, private and public, with what the AWS SDK's default chain finds: environment, profile, SSO, container and instance roles.
 * A registry's token is kept until half an hour before its end. Where AWS gives none, there is a note why.
 * @throws StoreError of the API, where no other login is to be tried
 */
export function ecrCredentials(api: EcrApi = awsSdk): Credentials {
  const tokens = new Map<string, Promise<Credential | undefined>>()
  return async (registry, { refused = [], note, signal } = {}) => {
    const host = parseEcrHost(registry)
    if (host === undefined && registry !== PUBLIC_ECR) return undefined
    const known = await tokens.get(registry)?.catch(() => undefined)
    if (known !== undefined && (known.expiresAt ?? 0) > Date.now() && !refused.includes(known)) return known
    const asked = (host === undefined ? api.publicToken({ signal }) : api.token(host, { signal })).then(readToken)
    tokens.set(registry, asked)
    try {
      return await asked
    } catch (error) {
      if (tokens.get(registry) === asked) tokens.delete(registry)
      signal?.throwIfAborted()
      if (error instanceof StoreError) throw error
      note?.(
        `AWS returned no token for ${registry}: ${error instanceof Error ? `${error.name}: ${error.message}` : 'it failed'}`,
      )
      return undefined
    }
  }
}

function readToken(token: EcrToken | undefined): Credential | undefined {
  const pair = Buffer.from(token?.authorizationToken ?? '', 'base64').toString('utf8')
  const colon = pair.indexOf(':')
  if (colon < 0) return undefined
  return {
    kind: 'password',
    username: pair.slice(0, colon),
    password: pair.slice(colon + 1),
    source: "AWS's default credentials",
    expiresAt: (token?.expiresAt?.getTime() ?? Date.now()) - RENEW_BEFORE,
  }
}

const awsSdk: EcrApi = {
  async token(host, options) {
    return await withEcr(host, options, async (client, { GetAuthorizationTokenCommand }, signal) => {
      const answer = await client.send(new GetAuthorizationTokenCommand({}), signal)
      return answer.authorizationData?.[0]
    })
  },
  async publicToken({ signal }) {
    const { ECRPUBLICClient, GetAuthorizationTokenCommand } = await import('@aws-sdk/client-ecr-public')
    const requestHandler = await awsRequestHandler(AWS_TIMEOUTS)
    const client = new ECRPUBLICClient({ region: PUBLIC_ECR_REGION, requestHandler })
    try {
      const answer = await client.send(new GetAuthorizationTokenCommand({}), signal && { abortSignal: signal })
      return answer.authorizationData
    } finally {
      client.destroy()
    }
  },
}
