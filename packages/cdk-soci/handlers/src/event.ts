// What CloudFormation asks of a custom resource ("Custom resource request objects" in its template reference).

export interface CloudFormationEvent {
  readonly RequestType: 'Create' | 'Update' | 'Delete'
  /** Presigned: whoever has it can answer. Never logged, never in a message. */
  readonly ResponseURL: string
  readonly StackId: string
  readonly RequestId: string
  readonly LogicalResourceId: string
  /** Absent from Create. */
  readonly PhysicalResourceId?: string
  /** All scalars are strings. */
  readonly ResourceProperties: Properties
  /** Of Update. */
  readonly OldResourceProperties?: Properties
}

export type Properties = Readonly<Record<string, unknown>>

const TEXTS = ['ResponseURL', 'StackId', 'RequestId', 'LogicalResourceId'] as const

/** Whether it is an event that can be answered: all that an answer repeats is there. */
export function isCloudFormationEvent(event: unknown): event is CloudFormationEvent {
  if (!isObject(event)) return false
  const { RequestType, PhysicalResourceId, ResourceProperties, OldResourceProperties } = event
  return (
    (RequestType === 'Create' || RequestType === 'Update' || RequestType === 'Delete') &&
    TEXTS.every((name) => typeof event[name] === 'string') &&
    (PhysicalResourceId === undefined || typeof PhysicalResourceId === 'string') &&
    isObject(ResourceProperties) &&
    (OldResourceProperties === undefined || isObject(OldResourceProperties))
  )
}

export function isObject(value: unknown): value is Properties {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
