// Sizes in words. Those of data are decimal (MB), as registries and `docker images` show them; sizes that were set as powers of two (span sizes) are
// binary (MiB).

const DECIMAL = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']
const BINARY = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']

/** `27.1 MB`, `512 B`. */
export function formatSize(bytes: number): string {
  return scale(bytes, 1000, DECIMAL)
}

/** `4 MiB`, `1.5 KiB`, `100 B`. */
export function formatBinarySize(bytes: number): string {
  return scale(bytes, 1024, BINARY).replace('.0 ', ' ')
}

function scale(value: number, base: number, units: readonly string[]): string {
  let unit = 0
  let rest = value
  while (unit < units.length - 1 && Number(rest.toFixed(1)) >= base) {
    rest /= base
    unit++
  }
  return unit === 0 ? `${rest} ${units[0]}` : `${rest.toFixed(1)} ${units[unit]}`
}
