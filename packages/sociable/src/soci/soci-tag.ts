/** Where the image's tag stands in a template. */
const PLACE = '{tag}'
/** Of the tags that are made where no other template is given. */
export const SOCI_TAG = `${PLACE}-soci`

/** The tag of the SOCI-enabled image that is made beside an image, if no other is named. */
export function sociTag(tag: string): string {
  return SOCI_TAG.replace(PLACE, () => tag)
}

/** The image to convert instead of its SOCI-enabled twin: `app:1` for `app:1-soci`. Any other image is returned as it is. */
export function originImage(image: string): string {
  return image.replace(/(:[\w.-]+)-soci$/, '$1')
}

/** The tag that a template made this one of; undefined where it did not. @throws TypeError for what is not a template */
export function originTag(tag: string, template: string): string | undefined {
  const [before = '', after = '', ...more] = template.split(PLACE)
  if (!template.includes(PLACE) || more.length > 0 || before + after === '')
    throw new TypeError(
      `"${template.slice(0, 200)}" is not a template of tags: write ${PLACE} once, and more than that`,
    )
  if (tag.length <= before.length + after.length || !tag.startsWith(before) || !tag.endsWith(after)) return undefined
  return tag.slice(before.length, tag.length - after.length)
}
