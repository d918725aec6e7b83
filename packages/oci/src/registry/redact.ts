// What of a request may stand in a message: a presigned address is a password, and so is an upload's state.

/** Query parameters of the distribution API whose values are not secret; all other values are removed. */
const PLAIN = new Set(['artifactType', 'digest', 'from', 'last', 'mount', 'n', 'scope', 'service'])
const DETAIL_LENGTH = 300

/** The address without user, password and fragment, and with `…` for the values of its query, as far as they could be secret. */
export function redactUrl(url: URL): string {
  const query = [...url.searchParams].map(([name, value]) => `${name}=${PLAIN.has(name) ? value : '…'}`)
  return `${url.origin}${url.pathname}${query.length === 0 ? '' : `?${query.join('&')}`}`
}

/** A server's message for one line of a terminal: without control characters and without secrets that it repeats, at most 300 characters. */
export function redactText(text: string, secrets: readonly string[] = []): string {
  let clean = text
  for (const secret of secrets) if (secret.length > 0) clean = clean.replaceAll(secret, '…')
  clean = clean.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim()
  // The addresses in it may be presigned ones.
  clean = clean.replace(/(https?:\/\/[^\s?"'<>]*)\?[^\s"'<>]*/gi, '$1?…')
  return clean.length > DETAIL_LENGTH ? `${clean.slice(0, DETAIL_LENGTH)}…` : clean
}
