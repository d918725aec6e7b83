/** What Lambda gives a handler besides the event, as far as it is used ("Lambda context object in Node.js"). */
export interface LambdaContext {
  readonly functionName: string
  readonly invokedFunctionArn: string
  readonly awsRequestId: string
  /** MiB. */
  readonly memoryLimitInMB: string
  readonly logGroupName: string
  readonly logStreamName: string
  getRemainingTimeInMillis(): number
}

const MEBIBYTE = 1 << 20
/** What Node and the code take before there is any work. */
const BASE_MEMORY = 192 * MEBIBYTE
const LEAST_MEMORY = 64 * MEBIBYTE

/** Bytes that the work may take of the function's memory. */
export function workMemory({ memoryLimitInMB }: Pick<LambdaContext, 'memoryLimitInMB'>): number {
  const limit = Number(memoryLimitInMB) * MEBIBYTE
  return Number.isSafeInteger(limit) ? Math.max(LEAST_MEMORY, limit - BASE_MEMORY) : LEAST_MEMORY
}

/** Where the log of this invocation is, for messages. */
export function logPlace({ logGroupName, logStreamName }: LambdaContext): string {
  return `log group ${logGroupName}, stream ${logStreamName}`
}
