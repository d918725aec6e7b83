import type { OnPushEnvironment } from './on-push-environment'

/** Environment variables of the function behind `SociBackfill`: the construct writes them, the handler reads them. */
export interface BackfillEnvironment
  extends Pick<OnPushEnvironment, 'SOCI_FILTERS' | 'SOCI_INDEX_VERSION' | 'SOCI_OUTPUT_TAG' | 'SOCI_OPTIONS'> {
  /** Has the list of images of each run, their results and the summary. */
  readonly SOCI_BACKFILL_BUCKET: string
}

/** An image that a run looks at. */
export interface BackfillItem {
  readonly repository: string
  readonly tag: string
  readonly digest: string
}

/** What the state machine asks of the function. `run` is the name of the execution. */
export type BackfillStep =
  | { readonly step: 'list'; readonly run: string; readonly input: unknown }
  | { readonly step: 'index'; readonly run: string; readonly image: BackfillItem }
  | {
      readonly step: 'failed'
      readonly run: string
      readonly image: BackfillItem
      readonly failure: { readonly Error?: string; readonly Cause?: string }
    }
  | { readonly step: 'summary'; readonly run: string; readonly listed: BackfillListed }

/** Answer of the step `list`. */
export interface BackfillListed {
  /** Images in the list. */
  readonly images: number
  /** Images that are left for another run. */
  readonly left: number
}
