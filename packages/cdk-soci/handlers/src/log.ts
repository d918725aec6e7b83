import { printableJson } from 'sociable'

/**
 * A line of JSON in the function's log. Only what names things goes in: never an event, a response URL, or a login.
 * @param fields must be plain data
 */
export function log(message: string, fields: Readonly<Record<string, unknown>> = {}): void {
  console.log(printableJson({ message, ...fields }))
}
