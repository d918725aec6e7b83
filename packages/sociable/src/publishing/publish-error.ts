export type PublishErrorCode = 'ASSEMBLY_INVALID' | 'STACK_NOT_FOUND' | 'CDK_FAILED' | 'AWS_REFUSED'

/**
 * Images of a cloud assembly cannot be published. `ASSEMBLY_INVALID`: the folder is not a cloud assembly that can be read; `STACK_NOT_FOUND`: no stack
 * matches a name; `CDK_FAILED`: the CDK CLI is missing or failed; `AWS_REFUSED`: AWS gives no credentials, refuses a role, or has no such repository.
 */
export class PublishError extends Error {
  override readonly name = 'PublishError'
  readonly code: PublishErrorCode
  constructor(code: PublishErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
