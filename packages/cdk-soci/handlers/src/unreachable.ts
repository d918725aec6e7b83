// AWS services that a function cannot reach, as in a VPC without internet access: told with the endpoint that is missing.

/** An AWS service took no connection, or something else answered in its place. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError'
}

/** The services that the handlers call: by the SDK's `serviceId`, the last part of the endpoint's name. */
const ENDPOINTS: Readonly<Record<string, string>> = {
  ECR: 'ecr.api',
  S3: 's3',
  'Secrets Manager': 'secretsmanager',
  CodeBuild: 'codebuild',
  SFN: 'states',
  SQS: 'sqs',
  EventBridge: 'events',
}

/** Node's codes for names without an address, and for connections that were not made, or broke. */
const CODES = /^(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|EPIPE)$/
/** Names that the SDK gives errors of no service. */
const UNNAMED = /^(?:Unknown\w*|Error|SyntaxError|\d{3})$/

/** What to add to a VPC. @param service the last part of the endpoint's name, such as `ecr.api` */
export function endpointAdvice(service: string, region: string): string {
  // VPCs in China have endpoints of other names, except for S3 ("AWS services that integrate with AWS PrivateLink" there)
  const prefix = region.startsWith('cn-') && service !== 's3' ? 'cn.com.amazonaws' : 'com.amazonaws'
  const kind = service === 's3' ? 'the gateway endpoint' : 'the interface endpoint'
  const rest = service === 's3' ? ' and routes to it' : ', which accepts HTTPS from the function'
  return `in a VPC without internet access, this requires ${kind} ${prefix}.${region}.${service}${rest} (SociVpcEndpoints creates it)`
}

/** The error of a call, as an `UnreachableError` if it never came to the service. @param serviceId the SDK's name of it */
export function toldReach(error: unknown, serviceId: string, region: string): unknown {
  const what = whyUnreached(error)
  if (what === undefined) return error
  const advice = endpointAdvice(ENDPOINTS[serviceId] ?? serviceId.toLowerCase(), region)
  return new UnreachableError(`the API of ${serviceId} in ${region} cannot be reached (${what}): ${advice}`, {
    cause: error,
  })
}

/** Why a call of the SDK never came to the service, undefined if it did. */
function whyUnreached(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const { code, $metadata: { httpStatusCode: status, requestId } = {} } = error as Error & {
    readonly code?: unknown
    readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string }
  }
  if (typeof code === 'string' && CODES.test(code)) return code
  if (error.name === 'TimeoutError') return 'no connection, or no answer, in time'
  // All services give each answer an id, and each error a name; what has neither is a proxy's
  if (status !== undefined && status >= 400 && requestId === undefined && UNNAMED.test(error.name))
    return `a proxy answered ${status}`
  return undefined
}
