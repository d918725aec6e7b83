// How numbers are shown to people.
import { formatBinarySize, formatSize } from '../size.js'

export { formatBinarySize, formatSize }

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
