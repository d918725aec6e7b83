import type { ConversionPlan } from 'sociable'

/** Bytes of a state's input or output ("Step Functions service quotas", as UTF-8). */
export const PAYLOAD_LIMIT = 256 << 10
/** Bytes of a layer's result, at most: two digests, media type, state, sizes and time; a reason takes the place of a digest. */
export const RESULT_SIZE = 420

/**
 * Whether the plan and what will come of it fit through the state machine.
 * @throws Error with what to do instead, before any layer is indexed in vain
 */
export function checkPayload(event: object, plan: ConversionPlan): void {
  const bytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value))
  const { layers, reused } = plan
  const others = bytes(event) + RESULT_SIZE * reused.length + 1_000 // digest, and names of the fields
  const size = others + Math.max(bytes(layers), RESULT_SIZE * layers.length)
  if (size > PAYLOAD_LIMIT)
    throw new Error(
      `the image has ${layers.length + reused.length} layers to index: their results take up to ${size} bytes, Step Functions carries ${PAYLOAD_LIMIT} from step to step; use SociCompute.codeBuild(), or index fewer platforms`,
    )
}
