/**
 * Environment variables of the function behind `SociIndexOnPush`: the construct writes them, the handler reads them. All are strings, and each may be a
 * parameter of a template.
 */
export interface OnPushEnvironment {
  /** Patterns `REPOSITORY:TAG`, separated by commas, with `*` and `?`: a push is indexed if one of them matches. */
  readonly SOCI_FILTERS: string
  /** The kind of index. The case of the letter does not matter, as the AWS solution's parameter has it upper. */
  readonly SOCI_INDEX_VERSION: 'V1' | 'V2' | 'v1' | 'v2'
  /** v2: tag of the SOCI-enabled image, in which `{tag}` is the tag that was pushed. */
  readonly SOCI_OUTPUT_TAG: string
  /** The options of an index as JSON: `SpanSize`, `MinLayerSize`, `Platforms`, … of `SociIndexProperties`. */
  readonly SOCI_OPTIONS?: string
  /** The bus that gets an event when an image became ready or failed. */
  readonly SOCI_EVENT_BUS?: string
  /** Namespace of the metrics, which are written to the log in CloudWatch's embedded metric format. */
  readonly SOCI_METRICS_NAMESPACE?: string
  /** The state machine that images of more than `SOCI_STATE_MACHINE_ABOVE` compressed bytes are handed to. */
  readonly SOCI_STATE_MACHINE?: string
  readonly SOCI_STATE_MACHINE_ABOVE?: string
  /** The reconcile run looks at pushes of so many days. */
  readonly SOCI_RECONCILE_DAYS?: string
  /** URL of the queue that the function reads: the reconcile run sends what it finds there, and what failed is given back with a shorter wait. */
  readonly SOCI_QUEUE_URL?: string
  /** URL of the dead-letter queue: what no retry can mend goes there at once. Without it such messages take the queue's own way there. */
  readonly SOCI_DEAD_LETTER_QUEUE_URL?: string
  /** `maxReceiveCount` of the queue: when the last try fails, the image is reported as failed. */
  readonly SOCI_MAX_RECEIVE_COUNT?: string
}

/** What the rule of the schedule hands to the function, in place of a batch of the queue. */
export interface ReconcileEvent {
  readonly reconcile: true
  /** Name of the repository after which an earlier run had to stop: it sends this through the queue. */
  readonly after?: string
}

/**
 * Names of the metrics, each with the one dimension `FunctionName`. `Images`: images that were indexed; `Bytes`: compressed bytes of the layers that were
 * indexed for them; `Seconds`: time that took; `Failures`: images that failed for good; `Retries`: messages that go back to the queue; `AgeOfOldestMessage`:
 * seconds that the oldest message of a batch has waited.
 */
export type OnPushMetric = 'Images' | 'Bytes' | 'Seconds' | 'Failures' | 'Retries' | 'AgeOfOldestMessage'

/** `detail-type` of the function's events on `SOCI_EVENT_BUS`; their source is `sociable`. */
export type OnPushEventType = 'SOCI Index Ready' | 'SOCI Index Failed'
