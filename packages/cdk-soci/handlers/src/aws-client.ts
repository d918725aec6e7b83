import { awsRequestHandler } from '@sociable/oci/registry'
import { TIMEOUTS } from './ecr-images.js'

/** Makes calls with a client of the AWS SDK, which is closed after them. */
export async function withAwsClient<Client extends { destroy(): void }, Result>(
  open: (options: {
    readonly requestHandler: Awaited<ReturnType<typeof awsRequestHandler>>
  }) => Client | Promise<Client>,
  use: (client: Client) => Promise<Result>,
): Promise<Result> {
  const client = await open({ requestHandler: await awsRequestHandler(TIMEOUTS) })
  try {
    return await use(client)
  } finally {
    client.destroy()
  }
}
