import type { ECRClient } from '@aws-sdk/client-ecr'
import { type EcrHost, StoreError } from '@sociable/oci'
import { type Credentials, ecrCredentials } from '@sociable/oci/registry'
import { withAwsClient } from './aws-client.js'
import { UnreachableError } from './unreachable.js'

/** Makes calls of ECR's own API. @throws UnreachableError, the SDK's errors */
export async function withEcrApi<Result>(
  { region, fips, dualStack }: Pick<EcrHost, 'region' | 'fips' | 'dualStack'>,
  use: (client: ECRClient) => Promise<Result>,
): Promise<Result> {
  const { ECRClient } = await import('@aws-sdk/client-ecr')
  const endpoint = { region, useFipsEndpoint: fips, useDualstackEndpoint: dualStack }
  return await withAwsClient((options) => new ECRClient({ ...options, ...endpoint }), use)
}

/** Logs in to private registries of ECR with the function's role. Why there is no token is the error, as no other login could be tried. */
export function roleCredentials(): Credentials {
  return ecrCredentials({
    async token(host, { signal }) {
      try {
        const { GetAuthorizationTokenCommand } = await import('@aws-sdk/client-ecr')
        const command = new GetAuthorizationTokenCommand({})
        const { authorizationData } = await withEcrApi(host, (client) =>
          client.send(command, signal && { abortSignal: signal }),
        )
        return authorizationData?.[0]
      } catch (cause) {
        signal?.throwIfAborted()
        throw noToken(cause as Error, host)
      }
    },
    publicToken: async () => undefined,
  })
}

function noToken(cause: Error, { account, region }: EcrHost): StoreError {
  if (cause instanceof UnreachableError) return new StoreError('UNREACHABLE', cause.message, { cause })
  const code = cause.name === 'AccessDeniedException' ? 'DENIED' : 'UNAUTHORIZED'
  const what = `Amazon ECR gave no login for account ${account} in ${region}`
  return new StoreError(code, `${what}: ${cause.name}: ${cause.message}`, { cause })
}
