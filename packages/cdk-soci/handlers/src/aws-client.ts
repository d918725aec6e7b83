import { awsRequestHandler } from '@sociable/oci/registry'
import { toldReach } from './unreachable.js'

/** A client of the AWS SDK, as far as all are alike. */
interface AwsClient {
  readonly config: { readonly serviceId: string; region(): Promise<string> }
  destroy(): void
}

/** Milliseconds: in a VPC without a way to the API a connection would be waited for until the function's end. */
const TIMEOUTS = { connectionTimeout: 5_000, requestTimeout: 20_000 }

/**
 * Makes calls with a client of the AWS SDK, which is closed after them.
 * @throws UnreachableError where the service cannot be reached, the SDK's errors
 */
export async function withAwsClient<Client extends AwsClient, Result>(
  open: (options: {
    readonly requestHandler: Awaited<ReturnType<typeof awsRequestHandler>>
  }) => Client | Promise<Client>,
  use: (client: Client) => Promise<Result>,
): Promise<Result> {
  const client = await open({ requestHandler: await awsRequestHandler(TIMEOUTS) })
  try {
    return await use(client)
  } catch (error) {
    throw toldReach(error, client.config.serviceId, await client.config.region())
  } finally {
    client.destroy()
  }
}
