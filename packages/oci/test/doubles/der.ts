// Just enough of ASN.1's distinguished encoding (X.690) to write a certificate.

/** A value with its tag and length. */
export function der(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents)
  const bytes: number[] = []
  for (let rest = content.length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256)
  const length = content.length < 0x80 ? [content.length] : [0x80 | bytes.length, ...bytes]
  return Buffer.concat([Buffer.from([tag, ...length]), content])
}

export const sequence = (...items: readonly Uint8Array[]) => der(0x30, ...items)
export const set = (...items: readonly Uint8Array[]) => der(0x31, ...items)
export const octets = (bytes: Uint8Array) => der(0x04, bytes)
export const bits = (bytes: Uint8Array) => der(0x03, Buffer.from([0]), bytes)
export const utf8 = (text: string) => der(0x0c, Buffer.from(text))
export const utcTime = (text: string) => der(0x17, Buffer.from(text))
export const boolean = (value: boolean) => der(0x01, Buffer.from([value ? 0xff : 0]))

/** A positive integer, its bytes from the most significant on. */
export function integer(bytes: Uint8Array): Buffer {
  return der(0x02, bytes[0]! >= 0x80 ? Buffer.from([0]) : Buffer.alloc(0), bytes)
}

/** `1.2.840.10045.4.3.2` */
export function objectId(text: string): Buffer {
  const [first, second, ...rest] = text.split('.').map(Number)
  const bytes = [first! * 40 + second!]
  for (const part of rest) {
    const groups = [part % 128]
    for (let more = Math.floor(part / 128); more > 0; more = Math.floor(more / 128)) groups.unshift(128 | (more % 128))
    bytes.push(...groups)
  }
  return der(0x06, Buffer.from(bytes))
}
