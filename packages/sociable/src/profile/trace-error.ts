/** A trace cannot be made into a profile: its form is unknown, or it is over a limit. */
export class TraceError extends Error {
  override readonly name = 'TraceError'
  readonly code = 'TRACE_INVALID'
}
