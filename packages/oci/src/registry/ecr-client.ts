// Calls of Amazon ECR's own API, for what the registry API does not tell.
import type { ECRClient } from '@aws-sdk/client-ecr'
import type { EcrHost } from '../document/ecr-host.js'
import type { CallOptions } from '../store.js'
import { AWS_TIMEOUTS, type AwsTimeouts, awsRequestHandler } from './aws-request-handler.js'

type EcrSdk = typeof import('@aws-sdk/client-ecr')

export interface EcrClientOptions extends CallOptions {
  /** @default AWS_TIMEOUTS */
  readonly timeouts?: AwsTimeouts
  /** @default the SDK's, 3 */
  readonly maxAttempts?: number
}

/**
 * Makes calls with a client for the registry, by the AWS SDK's default credentials. Loads the SDK first: that takes longer than everything else that a
 * command does before it.
 */
export async function withEcr<Result>(
  { region, fips, dualStack }: EcrHost,
  { signal, timeouts = AWS_TIMEOUTS, maxAttempts }: EcrClientOptions,
  call: (client: ECRClient, sdk: EcrSdk, options: { readonly abortSignal: AbortSignal } | undefined) => Promise<Result>,
): Promise<Result> {
  const sdk = await import('@aws-sdk/client-ecr')
  const client = new sdk.ECRClient({
    region,
    useFipsEndpoint: fips,
    useDualstackEndpoint: dualStack,
    ...(maxAttempts !== undefined && { maxAttempts }),
    requestHandler: await awsRequestHandler(timeouts),
  })
  try {
    return await call(client, sdk, signal && { abortSignal: signal })
  } finally {
    client.destroy()
  }
}
