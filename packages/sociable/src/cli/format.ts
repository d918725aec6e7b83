// How numbers and foreign text are shown to people. Sizes of data are decimal (MB), as registries and `docker images` show them; sizes that
// were set as powers of two (span sizes) are binary (MiB).

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

/** `201.4 MB/s`; empty where no time has passed. */
export function formatRate(bytes: number, seconds: number): string {
  return seconds > 0 ? `${formatSize(Math.round(bytes / seconds))}/s` : ''
}

/** `0.4 s`, `12.3 s`, `2 min 5 s`. */
export function formatSeconds(seconds: number): string {
  if (Number(seconds.toFixed(1)) < 60) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  return `${Math.floor(whole / 60)} min ${whole % 60} s`
}

/** `0:04`, `12:03`, `1:02:03`. */
export function formatClock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  const minutes = Math.floor(whole / 60) % 60
  const hours = Math.floor(whole / 3600)
  const tail = String(whole % 60).padStart(2, '0')
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${tail}` : `${minutes}:${tail}`
}

/** `3,210`. Not by locale: output is the same on every machine. */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** `1 layer`, `3 layers`. */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`
}

/** The first 12 hex digits of a digest, as docker shows them; anything else as it is. */
export function shortDigest(text: string): string {
  const match = /^sha(?:256|512):([0-9a-f]{12})[0-9a-f]+$/.exec(text)
  return match === null ? text : match[1]!
}
