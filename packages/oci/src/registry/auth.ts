import { StoreError } from '../error.js'
import { type Challenge, parseChallenges } from './challenge.js'
import { type Credential, type Credentials, secretsOf } from './credentials/credential.js'
import { type Explanation, failureOf, readRefusal } from './failure.js'
import type { Http, HttpResponse } from './http.js'
import { redactUrl } from './redact.js'
import { type RetryPolicy, retrying } from './retry.js'
import { coversScopes, formatScopes, parseScopes, type Scopes, uniteScopes } from './scope.js'

const TOKEN_ANSWER = 1 << 20 // bytes of a token server's answer, at most
const TOKEN_LIFE = 60 // seconds, where the server does not say (docker's token specification)
const CLIENT_ID = 'sociable'

interface Token {
  readonly scopes: Scopes
  readonly header: string
  /** Milliseconds of `performance.now()`. */
  readonly renewAt: number
  /** When it was asked for, by the same clock. */
  readonly asked: number
}

type Way =
  | { readonly kind: 'basic' }
  | { readonly kind: 'bearer'; readonly realm: URL; readonly service: string | undefined }

export interface AuthenticatorOptions {
  /** As images are called by, `docker.io`. */
  readonly registry: string
  readonly credentials: Credentials
  readonly http: Http
  readonly policy: RetryPolicy
}

/**
 * The `Authorization` of one registry's requests, learnt from its challenges: Basic, or Bearer with tokens from its token server (distribution,
 * "Token Authentication Specification"). A credential goes to the registry itself, or to the realm that it names, over a scheme as private
 * as its own. However many requests find a token expired, it is renewed once.
 */
export class Authenticator {
  readonly #options: AuthenticatorOptions
  #way: Way | undefined
  /** Whether `/v2/` was asked for a challenge. */
  #askedBase = false
  #tokens: readonly Token[] = []
  readonly #renewals = new Map<string, Promise<Token>>()
  #credential: Promise<Credential | undefined> | undefined
  readonly #refused: Credential[] = []
  readonly #notes = new Set<string>()
  /** The identity token that a token server gave in place of the one before. */
  #identityToken: string | undefined

  constructor(options: AuthenticatorOptions) {
    this.#options = options
  }

  /** The header for a request, as far as the registry's ways are known; undefined for none. */
  async authorization(scopes: Scopes, signal: AbortSignal | undefined): Promise<string | undefined> {
    if (this.#way === undefined) return undefined
    if (this.#way.kind === 'basic') {
      const credential = await this.#getCredential(scopes, signal)
      return credential === undefined ? undefined : basicHeader(credential)
    }
    return (await this.#token(this.#way, scopes, signal)).header
  }

  /**
   * Where requests without a login get no challenge: the header by the challenge of `/v2/`, which is asked once. Undefined where there is no challenge
   * there either, or no login to answer it with.
   */
  async learn(origin: URL, scopes: Scopes, signal: AbortSignal | undefined): Promise<string | undefined> {
    if (this.#way === undefined) {
      if (this.#askedBase || (await this.#getCredential(scopes, signal)) === undefined) return undefined
      this.#askedBase = true
      const response = await this.#options.http.send({
        method: 'GET',
        url: new URL('/v2/', origin),
        redirects: 'within',
        signal,
      })
      response.discard()
      if (response.header('www-authenticate') === undefined) return undefined
      this.#way = this.#wayOf(response).way
    }
    return await this.authorization(scopes, signal)
  }

  /**
   * What to ask with after `response` was a 401 to a request with the header `used`: a new token, or another credential.
   * @param sent when the request was sent, by `performance.now()`
   * @throws StoreError UNAUTHORIZED where there is nothing else to try, and says how to log in
   */
  async renewed(
    response: HttpResponse,
    { used, sent }: { readonly used: string | undefined; readonly sent: number },
    scopes: Scopes,
    signal: AbortSignal | undefined,
  ): Promise<string> {
    const { way, scope } = this.#wayOf(response)
    this.#way = way
    if (way.kind === 'basic') {
      const before = used === undefined ? undefined : await this.#getCredential(scopes, signal)
      if (before !== undefined && basicHeader(before) === used) this.#refuse(before)
      const credential = await this.#getCredential(scopes, signal)
      if (credential === undefined) throw await this.unauthorized(response)
      return basicHeader(credential)
    }
    // Others of its time may have ended with it, as where the server's key is new: only what came since is worth a try.
    this.#tokens = this.#tokens.filter((token) => token.header !== used && token.asked > sent)
    return (await this.#token(way, uniteScopes(scopes, parseScopes(scope)), signal)).header
  }

  /** Whether to ask again after a refusal that may mean that the login has ended: if it was a password that is known to end some time. */
  async expired(used: string | undefined): Promise<boolean> {
    if (used === undefined || this.#way?.kind !== 'basic') return false
    const credential = await this.#credential?.catch(() => undefined)
    if (credential === undefined || basicHeader(credential) !== used) return true // another request has seen to it
    if (credential.expiresAt === undefined) return false
    this.#refuse(credential)
    return true
  }

  /** A 401 as an error that says what to do. */
  async unauthorized(response: HttpResponse): Promise<StoreError> {
    const known = await this.#credential?.catch(() => undefined)
    const credential = known ?? this.#refused.at(-1)
    const refusal = await readRefusal(response, credential === undefined ? [] : secretsOf(credential))
    return failureOf(response, refusal, this.#explain(credential))
  }

  /** Why a request was refused, and what a user can do. */
  async explain(): Promise<Explanation> {
    const credential = await this.#credential?.catch(() => undefined)
    return credential === undefined
      ? this.#explain(undefined)
      : { because: `ask for the permission, as this is not allowed with ${credential.source}` }
  }

  /** Secrets that an answer may repeat. */
  async secrets(): Promise<readonly string[]> {
    const credential = await this.#credential?.catch(() => undefined)
    return [
      ...(credential === undefined ? [] : secretsOf(credential)),
      ...this.#tokens.map(({ header }) => header.slice(7)),
    ]
  }

  #explain(credential: Credential | undefined): Explanation {
    const { registry } = this.#options
    const what =
      credential === undefined
        ? `there is no login for ${registry}, which requires one or has no such repository`
        : `${credential.source} is not accepted`
    return {
      because: [what, ...this.#notes].join('; '),
      advice: `docker login ${registry === 'docker.io' ? '' : `${registry} `}(or --username with --password-stdin)`,
    }
  }

  #wayOf(response: HttpResponse): { readonly way: Way; readonly scope: string } {
    const header = response.header('www-authenticate') ?? ''
    const challenges = parseChallenges(header)
    const bearer = challenges.find(({ scheme, parameters }) => scheme === 'bearer' && parameters.has('realm'))
    if (bearer !== undefined) {
      const realm = realmOf(bearer, response)
      const { parameters } = bearer
      return {
        way: { kind: 'bearer', realm, service: parameters.get('service') },
        scope: parameters.get('scope') ?? '',
      }
    }
    if (challenges.some(({ scheme }) => scheme === 'basic')) return { way: { kind: 'basic' }, scope: '' }
    const offered = challenges.map(({ scheme }) => scheme).join(', ')
    throw new StoreError(
      'UNAUTHORIZED',
      `${response.request} answered 401, and offers ${offered === '' ? 'no way to log in' : `to log in by ${offered}`}: only Bearer and Basic are supported`,
    )
  }

  async #getCredential(scopes: Scopes, signal: AbortSignal | undefined): Promise<Credential | undefined> {
    const current = await this.#credential
    if (this.#credential === undefined || (current?.expiresAt !== undefined && current.expiresAt <= Date.now())) {
      const repository = [...scopes.keys()].map((name) => /^repository:(.*)$/.exec(name)?.[1]).find(Boolean)
      const note = (text: string) => void this.#notes.add(text)
      const asked = this.#options.credentials(this.#options.registry, {
        repository,
        refused: this.#refused,
        note,
        signal,
      })
      this.#credential = asked
      // A failure, or the end of the call that asked, is not remembered.
      asked.catch(() => {
        if (this.#credential === asked) this.#credential = undefined
      })
    }
    return this.#credential
  }

  #refuse(credential: Credential): void {
    this.#refused.push(credential)
    this.#credential = undefined
    this.#identityToken = undefined
  }

  async #token(way: Way & { kind: 'bearer' }, scopes: Scopes, signal: AbortSignal | undefined): Promise<Token> {
    const now = performance.now()
    const held = this.#tokens.find((token) => token.renewAt > now && coversScopes(token.scopes, scopes))
    if (held !== undefined) return held
    const key = formatScopes(scopes).join(' ')
    const running = this.#renewals.get(key)
    if (running !== undefined) {
      // Whoever began may be called off, which is not our end.
      const token = await running.catch((error: unknown) => {
        if (error instanceof StoreError) throw error
        return undefined
      })
      signal?.throwIfAborted()
      return token ?? this.#token(way, scopes, signal)
    }
    const renewal = retrying(this.#options.policy, signal, () => this.#askForToken(way, scopes, signal))
    this.#renewals.set(key, renewal)
    try {
      const token = await renewal
      this.#tokens = [...this.#tokens.filter((other) => other.renewAt > now), token]
      return token
    } finally {
      this.#renewals.delete(key)
    }
  }

  async #askForToken(way: Way & { kind: 'bearer' }, scopes: Scopes, signal: AbortSignal | undefined): Promise<Token> {
    while (true) {
      const credential = await this.#getCredential(scopes, signal)
      if (credential?.kind === 'registry-token')
        return {
          scopes,
          header: bearerHeader(credential.token, credential.source),
          renewAt: Number.POSITIVE_INFINITY,
          asked: performance.now(),
        }
      const asked = performance.now()
      const response = await this.#askRealm(way, scopes, credential, signal)
      if (response.status === 200) return this.#readToken(response, scopes, asked)
      // Refused with that login (RFC 6749, 5.2 has 400 for a refresh token): another provider may have a better one.
      if ((response.status === 401 || response.status === 400) && credential !== undefined) {
        this.#refuse(credential)
        if ((await this.#getCredential(scopes, signal)) === undefined) throw await this.#unauthorizedAt(response)
        response.discard()
        continue
      }
      if (response.status === 401) throw await this.#unauthorizedAt(response)
      throw failureOf(response, await readRefusal(response, await this.secrets()), await this.explain())
    }
  }

  async #unauthorizedAt(response: HttpResponse): Promise<StoreError> {
    const error = await this.unauthorized(response)
    return error.code === 'UNAUTHORIZED'
      ? error
      : new StoreError('UNAUTHORIZED', error.problem, { advice: error.advice })
  }

  async #askRealm(
    way: Way & { kind: 'bearer' },
    scopes: Scopes,
    credential: Credential | undefined,
    signal: AbortSignal | undefined,
  ): Promise<HttpResponse> {
    const { http } = this.#options
    const service: [string, string][] = way.service === undefined ? [] : [['service', way.service]]
    const post = (fields: readonly [string, string][]) => {
      const form = new URLSearchParams([...service, ['client_id', CLIENT_ID], ...fields])
      form.append('scope', formatScopes(scopes).join(' '))
      const headers = { 'content-type': 'application/x-www-form-urlencoded' }
      const body = new TextEncoder().encode(form.toString())
      return http.send({ method: 'POST', url: way.realm, headers, body, signal })
    }
    if (credential?.kind === 'identity-token') {
      const token = this.#identityToken ?? credential.token
      return post([
        ['grant_type', 'refresh_token'],
        ['refresh_token', token],
      ])
    }
    const url = new URL(way.realm)
    for (const [name, value] of service) url.searchParams.append(name, value)
    for (const scope of formatScopes(scopes)) url.searchParams.append('scope', scope)
    if (credential === undefined) return http.send({ method: 'GET', url, signal })
    const { username, password } = credential as Credential & { kind: 'password' }
    const response = await http.send({ method: 'GET', url, authorization: basicHeader(credential), signal })
    if (response.status !== 404 && response.status !== 405) return response
    response.discard()
    return post([
      ['grant_type', 'password'],
      ['username', username],
      ['password', password],
    ])
  }

  async #readToken(response: HttpResponse, scopes: Scopes, asked: number): Promise<Token> {
    const json = parseObject(new TextDecoder().decode(await response.bytes(TOKEN_ANSWER)))
    const token = json?.access_token || json?.token
    if (typeof token !== 'string')
      throw new StoreError(
        'PROTOCOL',
        `${response.request} gave no token: it should answer with "token" or "access_token"`,
      )
    if (typeof json?.refresh_token === 'string' && json.refresh_token !== '') this.#identityToken = json.refresh_token
    const life = typeof json?.expires_in === 'number' && json.expires_in > 0 ? json.expires_in : TOKEN_LIFE
    // Early enough that a request which is sent with it arrives in time; by our clock, as the server's may differ.
    const renewAt = asked + life * 1000 - Math.min(10_000, life * 200)
    return { scopes, header: bearerHeader(token, response.request), renewAt, asked }
  }
}

function realmOf({ parameters }: Challenge, { url, request }: HttpResponse): URL {
  const text = parameters.get('realm')!
  if (!URL.canParse(text))
    throw new StoreError('PROTOCOL', `${request} answered 401 with a token realm that is not an address`)
  const realm = new URL(text)
  if (realm.protocol !== 'https:' && !(realm.protocol === 'http:' && url.protocol === 'http:'))
    throw new StoreError(
      'PROTOCOL',
      `${request} wants the login to be sent to ${redactUrl(realm)}, which is not private: over ${url.protocol} only a realm on https is accepted`,
    )
  realm.username = ''
  realm.password = ''
  realm.hash = ''
  return realm
}

function basicHeader(credential: Credential): string {
  const pair = credential.kind === 'password' ? `${credential.username}:${credential.password}` : `:${credential.token}`
  return `Basic ${Buffer.from(pair).toString('base64')}`
}

function bearerHeader(token: string, source: string): string {
  // RFC 6750, 2.1, and looser: what could end the header's line is not sent.
  if (!/^[\x21-\x7e]+$/.test(token))
    throw new StoreError('PROTOCOL', `the token of ${source} has characters that a header cannot have`)
  return `Bearer ${token}`
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const json: unknown = JSON.parse(text)
    return typeof json === 'object' && json !== null ? (json as Readonly<Record<string, unknown>>) : undefined
  } catch {
    return undefined
  }
}
