import type { ClientRequest, Agent as HttpAgent } from 'node:http'
import type { Agent as HttpsAgent } from 'node:https'
import { hasProxy, proxiesFrom } from './proxy.js'

/** Milliseconds, as the AWS SDK's clients take them. */
export interface AwsTimeouts {
  readonly connectionTimeout: number
  readonly requestTimeout: number
}

/** By itself the SDK waits as long as the system does, three times: minutes where a VPC has no way to the API. */
export const AWS_TIMEOUTS: AwsTimeouts = { connectionTimeout: 10_000, requestTimeout: 30_000 }

/**
 * The `requestHandler` of the AWS SDK's clients: by itself the SDK knows no proxies. The clients of its credential chain (STS, SSO) take over the one of
 * the client that asks them; metadata endpoints of instances and tasks are always asked directly.
 * @example
 * new ECRClient({ requestHandler: await awsRequestHandler(AWS_TIMEOUTS) })
 */
export async function awsRequestHandler(
  timeouts: AwsTimeouts,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<AwsTimeouts & { readonly httpsAgent?: HttpsAgent }> {
  if (!hasProxy(environment)) return timeouts
  // Loaded when there is a proxy
  const [{ Agent }, { HttpsProxyAgent }, { globalAgent }] = await Promise.all([
    import('agent-base'),
    import('https-proxy-agent'),
    import('node:https'),
  ])
  const proxyFor = proxiesFrom(environment)
  class EnvironmentAgent extends Agent {
    readonly #agents = new Map<string, HttpAgent>()

    connect(_: ClientRequest, { host, port }: { readonly host?: string; readonly port?: number }) {
      const proxy = proxyFor(new URL(`https://${host}:${port}`))
      if (proxy === undefined) return globalAgent
      const { url, authorization } = proxy
      let agent = this.#agents.get(url.href)
      if (agent === undefined) {
        const headers = authorization === undefined ? {} : { 'proxy-authorization': authorization }
        agent = new HttpsProxyAgent(url.href, { headers })
        this.#agents.set(url.href, agent)
      }
      return agent
    }
  }
  return { ...timeouts, httpsAgent: new EnvironmentAgent() as unknown as HttpsAgent }
}
