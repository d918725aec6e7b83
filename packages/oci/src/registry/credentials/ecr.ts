import type { CallOptions } from '../../store.js'
import { awsRequestHandler } from '../aws-request-handler.js'
import type { Credential, Credentials } from './credential.js'

/** A private registry of Amazon ECR, taken from its host. */
export interface EcrHost {
  readonly account: string
  readonly region: string
  readonly fips: boolean
  readonly dualStack: boolean
}

/**
 * `ACCOUNT.dkr.ecr[-fips].REGION.DOMAIN`, and `ACCOUNT.dkr-ecr[-fips].REGION.on.aws` of dual stack; the domains are those of AWS's partitions
 * (Amazon ECR User Guide, "Endpoints"; the AWS SDK's partitions.json): standard and GovCloud, China, the European sovereign cloud, and the isolated ones.
 */
const REGION = '[a-z]{2,}(?:-[a-z]+)+-\\d+'
const ECR_HOST = new RegExp(
  `^(\\d{12})\\.(?:dkr\\.ecr(-fips)?\\.(${REGION})\\.(?:amazonaws\\.com(?:\\.cn)?|amazonaws\\.eu|c2s\\.ic\\.gov|sc2s\\.sgov\\.gov|cloud\\.adc-e\\.uk|csp\\.hci\\.ic\\.gov)` +
    `|dkr-ecr(-fips)?\\.(${REGION})\\.on\\.(?:aws|amazonwebservices\\.(?:com\\.cn|eu)))$`,
)
const PUBLIC_ECR = 'public.ecr.aws'
const PUBLIC_ECR_REGION = 'us-east-1' // the one region that gives its tokens
const RENEW_BEFORE = 30 * 60_000 // ms of a token's 12 h

export function parseEcrHost(host: string): EcrHost | undefined {
  const match = ECR_HOST.exec(host)
  if (match === null) return undefined
  const [, account, fips, region, dualStackFips, dualStackRegion] = match
  return {
    account: account!,
    region: (region ?? dualStackRegion)!,
    fips: (fips ?? dualStackFips) !== undefined,
    dualStack: dualStackRegion !== undefined,
  }
}

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
      note?.(
        `AWS gave no token for ${registry}: ${error instanceof Error ? `${error.name}: ${error.message}` : 'it failed'}`,
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

/** Milliseconds. By itself the SDK waits as long as the system does, three times: minutes where a VPC has no way to the API. */
const TIMEOUTS = { connectionTimeout: 10_000, requestTimeout: 30_000 }

/** The SDK is loaded when it is needed: that takes longer than all else that a command does first. */
const awsSdk: EcrApi = {
  async token({ region, fips, dualStack }, { signal }) {
    const { ECRClient, GetAuthorizationTokenCommand } = await import('@aws-sdk/client-ecr')
    const client = new ECRClient({
      region,
      useFipsEndpoint: fips,
      useDualstackEndpoint: dualStack,
      requestHandler: await awsRequestHandler(TIMEOUTS),
    })
    try {
      const answer = await client.send(new GetAuthorizationTokenCommand({}), signal && { abortSignal: signal })
      return answer.authorizationData?.[0]
    } finally {
      client.destroy()
    }
  },
  async publicToken({ signal }) {
    const { ECRPUBLICClient, GetAuthorizationTokenCommand } = await import('@aws-sdk/client-ecr-public')
    const client = new ECRPUBLICClient({ region: PUBLIC_ECR_REGION, requestHandler: await awsRequestHandler(TIMEOUTS) })
    try {
      const answer = await client.send(new GetAuthorizationTokenCommand({}), signal && { abortSignal: signal })
      return answer.authorizationData
    } finally {
      client.destroy()
    }
  },
}
