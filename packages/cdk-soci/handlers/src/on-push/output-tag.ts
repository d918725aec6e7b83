// The tag of a SOCI-enabled image, made of the tag that was pushed.

/** Where the pushed tag stands. */
const PLACE = '{tag}'
const LONGEST = 128 // characters, distribution-spec v1.1.1, "Pulling manifests"

/** The tag does not fit into the template. */
export class OutputTagError extends Error {
  override readonly name = 'OutputTagError'
}

/** @throws OutputTagError where it would be longer than tags may be */
export function outputTag(template: string, tag: string): string {
  const output = template.replace(PLACE, () => tag)
  if (output.length > LONGEST)
    throw new OutputTagError(
      `the tag has ${tag.length} characters, and ${template} would have ${output.length}: tags have at most ${LONGEST}`,
    )
  return output
}

/** Whether a tag is one that the template makes. */
export function isOutputTag(template: string, tag: string): boolean {
  const [before = '', after = ''] = template.split(PLACE)
  return tag.length > before.length + after.length && tag.startsWith(before) && tag.endsWith(after)
}

/** What is wrong with a template; undefined for one that can be used. */
export function templateProblem(template: string): string | undefined {
  const parts = template.split(PLACE)
  if (parts.length !== 2) return `must have ${PLACE} once`
  if (parts.join('') === '') return `must have more than ${PLACE}, or the image that was pushed would be replaced`
  return /^\w[\w.-]*$/.test(parts.join('t')) ? undefined : 'must make a tag: letters, digits, _, . and -'
}
