const SECONDS_PER_DAY = 86400
// 0000-01-01 and 10000-01-01: outside, Go's time.Time has no text (time.appendStrictRFC3339).
const FIRST_SECOND = -62167219200
const END_SECOND = 253402300800

/** Bytes that `formatTime` may write: 2006-01-02T15:04:05.999999999Z. */
export const MAX_TIME_LENGTH = 30

/**
 * Writes the time as Go's time.Time.MarshalText prints it in UTC: RFC 3339, the fraction without trailing zeros; nothing for a year
 * outside 0..9999. `seconds` since 1970. Returns the length.
 */
export function formatTime(seconds: number, nanoseconds: number, to: Uint8Array): number {
  if (!(seconds >= FIRST_SECOND && seconds < END_SECOND)) return 0
  const days = Math.floor(seconds / SECONDS_PER_DAY)
  const second = seconds - days * SECONDS_PER_DAY

  // Days are counted from 0000-03-01, so that the leap day is a year's last; 400 years have 146097 days.
  const day = days + 719468
  const era = Math.floor(day / 146097)
  const dayOfEra = day - era * 146097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36524) - Math.floor(dayOfEra / 146096)) / 365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153)
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)

  digits(to, 0, 4, year)
  to[4] = 0x2d // -
  digits(to, 5, 2, month)
  to[7] = 0x2d
  digits(to, 8, 2, dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1)
  to[10] = 0x54 // T
  digits(to, 11, 2, Math.floor(second / 3600))
  to[13] = 0x3a // :
  digits(to, 14, 2, Math.floor((second % 3600) / 60))
  to[16] = 0x3a
  digits(to, 17, 2, second % 60)
  let length = 19
  if (nanoseconds > 0) {
    to[19] = 0x2e // .
    digits(to, 20, 9, nanoseconds)
    length = 29
    while (to[length - 1] === 0x30) length--
  }
  to[length] = 0x5a // Z
  return length + 1
}

function digits(to: Uint8Array, at: number, count: number, value: number): void {
  let rest = value
  for (let i = at + count - 1; i >= at; i--) {
    const tenth = Math.floor(rest / 10)
    to[i] = 0x30 + rest - tenth * 10
    rest = tenth
  }
}
