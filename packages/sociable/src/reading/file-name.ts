/** Names of devices, with or without an extension. */
const DEVICE = /^(?:con|prn|aux|nul|com[\d\u00b9\u00b2\u00b3]|lpt[\d\u00b9\u00b2\u00b3]|conin\$|conout\$)(?:\.|$)/i
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const FORBIDDEN = /[\\/:*?"<>|\u0000-\u001f]/
/** UTF-16 units of a name in NTFS. */
const LONGEST = 255

/**
 * Why a file cannot have this name: on Windows it would be another folder, a device, a stream or another name, or it is too long. Undefined if it can, as far as
 * that is known without trying.
 * @param name one part of a path
 * @param isRaw whether its bytes are not UTF-8
 */
export function nameProblem(
  name: string,
  isRaw: boolean,
  platform: NodeJS.Platform = process.platform,
): string | undefined {
  if (platform !== 'win32') return name.includes('\0') ? INVALID : undefined
  if (DEVICE.test(name)) return 'its name is reserved for a device on Windows'
  if (isRaw || FORBIDDEN.test(name) || /[. ]$/.test(name)) return INVALID
  return name.length > LONGEST ? TOO_LONG : undefined
}

const INVALID = 'this system does not allow its name'
const TOO_LONG = 'its name is too long for this system'

/** What the system's refusal of a file means for its name; undefined for other failures. */
export function nameRefusal(code: string): string | undefined {
  return REFUSALS[code]
}

const REFUSALS: Readonly<Record<string, string>> = {
  EEXIST: 'this system cannot distinguish its name from that of another file',
  ENAMETOOLONG: TOO_LONG,
  EILSEQ: INVALID,
}
