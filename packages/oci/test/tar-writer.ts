// Tars as tests need them, sound or not. Apart from the package's own writer, which knows no links and no tricks.

export interface TarEntry {
  readonly name: string
  readonly data?: Uint8Array | string
  /** @default '0' */
  readonly type?: string
  readonly linkName?: string
  /** What the header says, where that is not the data's size: octal text, or the field's bytes. */
  readonly size?: string | Uint8Array
  /** @default 'ustar\0' + '00' */
  readonly magic?: string
  readonly prefix?: string
  readonly breakChecksum?: boolean
}

/** The entries, and by default the two blocks of zeros. */
export function tar(entries: readonly TarEntry[], { end = 1024 }: { readonly end?: number } = {}): Uint8Array {
  const parts: Uint8Array[] = []
  for (const entry of entries) {
    const data = typeof entry.data === 'string' ? Buffer.from(entry.data, 'latin1') : (entry.data ?? new Uint8Array())
    parts.push(header(entry, data.length), data, new Uint8Array((512 - (data.length % 512)) % 512))
  }
  return new Uint8Array(Buffer.concat([...parts, new Uint8Array(end)]))
}

function header(entry: TarEntry, dataSize: number): Uint8Array {
  const block = Buffer.alloc(512)
  block.write(entry.name, 0, 100, 'latin1')
  block.write('0000644\x000000000\x000000000\x00', 100, 'latin1')
  const size = entry.size ?? dataSize.toString(8).padStart(11, '0')
  if (typeof size === 'string') block.write(size, 124, 12, 'latin1')
  else block.set(size, 124)
  block.write('00000000000\0', 136, 'latin1')
  block.write(entry.type ?? '0', 156, 1, 'latin1')
  block.write(entry.linkName ?? '', 157, 100, 'latin1')
  block.write(entry.magic ?? 'ustar\x0000', 257, 8, 'latin1')
  block.write(entry.prefix ?? '', 345, 155, 'latin1')
  block.write('        ', 148, 'latin1')
  const sum = block.reduce((total, byte) => total + byte, entry.breakChecksum ? 1 : 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return block
}

/** A PAX header's data. */
export function pax(records: Readonly<Record<string, string>>): string {
  return Object.entries(records)
    .map(([key, value]) => {
      const rest = ` ${key}=${value}\n`
      let length = rest.length
      while (`${length}`.length + rest.length !== length) length = `${length}`.length + rest.length
      return `${length}${rest}`
    })
    .join('')
}
