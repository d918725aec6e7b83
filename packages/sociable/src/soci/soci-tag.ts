/** The tag of the SOCI-enabled image that is made beside an image, if no other is named. */
export function sociTag(tag: string): string {
  return `${tag}-soci`
}
