import { isJsonObject, parseJson } from '../document/gojson.js'
import { goString, goStruct, required } from '../document/gostruct.js'
import { StoreError } from '../error.js'

/** image-spec v1.1.1, image-layout.md "oci-layout file". */
export const LAYOUT_FILE = 'oci-layout'
const LAYOUT_VERSION = '1.0.0'
export const LAYOUT_FILE_CONTENT = new TextEncoder().encode(`{"imageLayoutVersion":"${LAYOUT_VERSION}"}`)

const layoutType = goStruct<{ readonly imageLayoutVersion: string }>({ imageLayoutVersion: required(goString) })

/** @throws StoreError PROTOCOL where it is not of a version that can be read */
export function checkLayoutVersion(bytes: Uint8Array, where: string): void {
  const json = parseJson(bytes, `${LAYOUT_FILE} of ${where}`)
  const version = isJsonObject(json) ? layoutType.decode(json, layoutType.zero, LAYOUT_FILE).imageLayoutVersion : ''
  if (version !== LAYOUT_VERSION)
    throw new StoreError(
      'PROTOCOL',
      `${where} is an image layout of version "${version}"; only ${LAYOUT_VERSION} can be read`,
    )
}
