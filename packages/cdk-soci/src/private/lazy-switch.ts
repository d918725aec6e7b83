import type { IConstruct } from 'constructs'

const CONTEXT_KEY = 'cdk-soci:lazy'

/**
 * Why images of the construct stay as they are, undefined where they are made lazy. The option decides where it is given, else the context key.
 * @throws Error for a context value other than true and false
 */
export function whyNotLazy(construct: IConstruct, option: boolean | undefined): string | undefined {
  if (option !== undefined) return option ? undefined : 'the option lazy is false'
  const value: unknown = construct.node.tryGetContext(CONTEXT_KEY)
  if (value === undefined || value === true || value === 'true') return undefined
  if (value === false || value === 'false') return `the context key ${CONTEXT_KEY} is false`
  throw new Error(`the context key ${CONTEXT_KEY} is ${JSON.stringify(value)}: set it to true or false`)
}
