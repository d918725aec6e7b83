import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { parseJson } from '../elsewhere.js'
import { type CloudFormationEvent, isCloudFormationEvent } from '../event.js'
import { PropertyError } from '../index-request.js'

/** The environment variable of a build that tells it what CloudFormation asked. */
export const EVENT_VARIABLE = 'SOCI_EVENT'
/** That which tells what came out. */
export const RESULT_VARIABLE = 'SOCI_RESULT'

/** A build's environment variables together may have 5,500 characters ("Build environment reference" of CodeBuild's user guide); some are not ours. */
const LIMIT = 5_000
/** Bytes of an event: far more than fit in the variable. */
const EVENT_LIMIT = 1 << 20

/** The event as text without any character that a shell knows. @throws PropertyError where it has too many properties */
export function packEvent(event: CloudFormationEvent): string {
  const packed = deflateRawSync(JSON.stringify(event)).toString('base64url')
  if (packed.length > LIMIT)
    throw new PropertyError(
      `the properties are too long for CodeBuild: with CloudFormation's event they take ${packed.length} characters, its environment variables may have ${LIMIT}; give fewer prefetch files or platforms, or use SociCompute.lambdaFunction() or SociCompute.stepFunctions()`,
    )
  return packed
}

/** Undefined for what is not a packed event. */
export function unpackEvent(packed: string | undefined): CloudFormationEvent | undefined {
  if (packed === undefined || packed.length > LIMIT) return undefined
  try {
    const bytes = inflateRawSync(Buffer.from(packed, 'base64url'), { maxOutputLength: EVENT_LIMIT })
    const event = parseJson(bytes.toString())
    return isCloudFormationEvent(event) ? event : undefined
  } catch {
    return undefined
  }
}
