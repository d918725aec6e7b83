/** The type of an error whose message is for users. */
export const STEP_ERROR = 'StepError'

/** Characters of its message: those of all layers that fail go through the state machine together. */
const MESSAGE_LIMIT = 500

/** A step failed with a reason of ours. */
export class StepError extends Error {
  override readonly name = STEP_ERROR

  /** @param place where the log is */
  constructor(reason: string, place: string) {
    super(`${reason.slice(0, MESSAGE_LIMIT)} (${place})`)
    this.stack = '' // Lambda would send it along
  }
}
