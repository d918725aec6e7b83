export { formatSize } from '../src/size'

export const formatCount = (count: number) => count.toLocaleString('en-US')

/** `12 %`; shares that are neither none nor all are never shown as 0 or 100. */
export function formatShare(part: number, whole: number): string {
  if (whole === 0 || part === 0) return '0 %'
  const percent = (100 * part) / whole
  if (percent < 1) return '< 1 %'
  if (percent > 99 && part !== whole) return '> 99 %'
  return `${Math.round(percent)} %`
}

export const plural = (count: number, noun: string) => `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`

/** The first 12 hex digits of a digest. */
export const shortDigest = (digest: string) => digest.replace(/^sha\d+:([0-9a-f]{12}).*$/, '$1')
