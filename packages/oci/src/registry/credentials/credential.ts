import type { CallOptions } from '../../store.js'

/** What a registry is logged in to with. */
export type Credential = {
  /** Where it is from, for messages: never a secret. */
  readonly source: string
  /** Milliseconds since 1970 from which on it is to be asked for again. */
  readonly expiresAt?: number | undefined
} & (
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  /** A refresh token (OAuth 2), which a token server gives access tokens for. */
  | { readonly kind: 'identity-token'; readonly token: string }
  /** A token that is sent as it is. */
  | { readonly kind: 'registry-token'; readonly token: string }
)

export interface CredentialRequest extends CallOptions {
  /** The repository that it is for: podman's file may have one of its own. */
  readonly repository?: string | undefined
  /** Credentials that were refused: another one is wanted. */
  readonly refused?: readonly Credential[] | undefined
  /** Takes what kept a provider from giving one, for the message if no other does either. */
  readonly note?: ((text: string) => void) | undefined
}

/**
 * Gives a credential of a registry (`docker.io`, `host:port`), or undefined for none. It is asked when the registry wants one, and again when
 * that has expired or was refused; it keeps what is costly to get.
 */
export type Credentials = (registry: string, request?: CredentialRequest) => Promise<Credential | undefined>

/** Asks one after the other. */
export function firstOf(...providers: readonly Credentials[]): Credentials {
  return async (registry, request) => {
    for (const provider of providers) {
      const credential = await provider(registry, request)
      if (credential !== undefined && !isRefused(credential, request?.refused)) return credential
    }
    return undefined
  }
}

/** A user's own login for one registry; no other host gets it. */
export function explicitCredential(registry: string, username: string, password: string): Credentials {
  const credential: Credential = { kind: 'password', username, password, source: `the given login of ${username}` }
  return async (asked) => (asked === registry ? credential : undefined)
}

function isRefused(credential: Credential, refused: readonly Credential[] | undefined): boolean {
  return refused?.some((other) => secretOf(other) === secretOf(credential)) ?? false
}

/**
 * The texts of it that must not be shown: as it is, as it is sent (base64 of `user:password`, padded or not, in either alphabet), and as JSON, an address or a
 * form would have it. Longest first, so that none is cut by a shorter one within it.
 */
export function secretsOf(credential: Credential): readonly string[] {
  const secret = secretOf(credential)
  const pairs = credential.kind === 'password' ? [`${credential.username}:${secret}`, `:${secret}`, secret] : [secret]
  const encoded = pairs.flatMap((text) => {
    const base64 = Buffer.from(text).toString('base64')
    return [base64, base64.replace(/=+$/, ''), Buffer.from(text).toString('base64url')]
  })
  const written = [
    secret,
    encodeURIComponent(secret),
    encodeURI(secret),
    new URLSearchParams([['', secret]]).toString().slice(1),
    JSON.stringify(secret).slice(1, -1),
  ]
  return [...new Set([...encoded, ...written])].filter((text) => text !== '').sort((a, b) => b.length - a.length)
}

function secretOf(credential: Credential): string {
  return credential.kind === 'password' ? credential.password : credential.token
}
