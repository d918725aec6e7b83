// Docker's token authentication: distribution's docs "Token Authentication Specification", "Token Authentication Implementation" and
// "Oauth2 Token Authentication", as distribution 2.8 checks it.
import { randomUUID, sign } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Certificate, selfSignedCertificate } from './certificate.js'
import { type Listening, listen } from './listen.js'
import { BASIC_PASSWORD, BASIC_USER, type TokenAuth } from './real-registries.js'

export interface TokenServerOptions {
  /** Signs the tokens. @default a new one */
  readonly certificate?: Certificate | undefined
  /** Passwords by user. @default BASIC_USER with BASIC_PASSWORD */
  readonly users?: Readonly<Record<string, string>> | undefined
  /** What anybody may do without a password, such as `pull`. @default nothing, and then there are no tokens without one */
  readonly anonymous?: readonly string[] | undefined
  /** Seconds that tokens live; docker-registry takes them 60 s longer. @default 300 */
  readonly lifetime?: number | undefined
  /** What the answer says that they live; `undefined` says nothing, which means 60. @default `lifetime` */
  readonly expiresIn?: number | undefined
  /** Under which name a GET is answered with the token. @default 'token' */
  readonly field?: 'token' | 'access_token' | 'both' | undefined
  readonly tls?: Certificate | undefined
}

/** A request for a token, as it came. */
export interface TokenRequest {
  readonly method: string
  /** '' for nobody. */
  readonly user: string
  readonly service: string
  /** `repository:app:pull,push`, each. */
  readonly scopes: readonly string[]
  /** `basic` for a GET with a password, else OAuth2's grant type; `none`. */
  readonly grant: string
  readonly status: number
}

export interface Access {
  readonly type: string
  readonly name: string
  readonly actions: readonly string[]
}

export interface TokenServer extends Listening {
  /** For `startDockerRegistry`. */
  readonly auth: TokenAuth
  readonly requests: readonly TokenRequest[]
  /** A refresh token ("identity token") of a user, as `docker login` would have got it. */
  identityToken(user: string): string
  /** No token that was given out so far is taken by `guard` any more. */
  expireAll(): void
  /** The handler of a registry behind tokens of this server: 401 with the challenge where a request has none that allows it. */
  guard(handler: Handler): Handler
}

export type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>

const SERVICE = 'registry.test'
const ISSUER = 'token server of the tests'

export async function startTokenServer(options: TokenServerOptions = {}): Promise<TokenServer> {
  const certificate = options.certificate ?? selfSignedCertificate()
  const users = options.users ?? { [BASIC_USER]: BASIC_PASSWORD }
  const lifetime = options.lifetime ?? 300
  const expiresIn = 'expiresIn' in options ? options.expiresIn : lifetime
  const requests: TokenRequest[] = []
  const issued = new Map<string, { readonly access: readonly Access[]; readonly expires: number }>()
  const identities = new Map<string, string>()

  const issue = (user: string, scopes: readonly string[]): string => {
    const allowed = user === '' ? (options.anonymous ?? []) : undefined
    const access = scopes.map(parseScope).map(({ actions, ...rest }) => ({
      ...rest,
      actions: actions.filter((action) => allowed === undefined || allowed.includes(action)),
    }))
    const now = Math.floor(Date.now() / 1000)
    const claims = { iss: ISSUER, sub: user, aud: SERVICE, exp: now + lifetime, nbf: now - 10, iat: now }
    const token = signed({ ...claims, jti: randomUUID(), access }, certificate)
    issued.set(token, { access, expires: Date.now() + lifetime * 1000 })
    return token
  }
  const identityToken = (user: string): string => {
    const token = `identity-${randomUUID()}`
    identities.set(token, user)
    return token
  }

  const handle: Handler = async (request, response) => {
    const asked = await readAsk(request)
    let user: string | undefined
    if (asked.grant === 'refresh_token') user = identities.get(asked.secret)
    else if (asked.grant === 'none') user = options.anonymous === undefined ? undefined : ''
    else if (Object.hasOwn(users, asked.user) && users[asked.user] === asked.secret) user = asked.user
    const status = user === undefined ? 401 : 200
    const { method, service, scopes, grant } = asked
    requests.push({ method, user: user ?? asked.user, service, scopes, grant, status })
    response.setHeader('content-type', 'application/json')
    if (user === undefined) {
      response.writeHead(401).end('{"errors":[{"code":"UNAUTHORIZED","message":"incorrect username or password"}]}')
      return
    }
    const token = issue(user, scopes)
    const field = method === 'POST' ? 'access_token' : (options.field ?? 'token')
    const answer = {
      ...(field !== 'access_token' && { token }),
      ...(field !== 'token' && { access_token: token }),
      ...(expiresIn !== undefined && { expires_in: expiresIn, issued_at: new Date().toISOString() }),
      ...(asked.offline && user !== '' && { refresh_token: identityToken(user) }),
    }
    response.end(JSON.stringify(answer))
  }
  const listening = await listen(handle, { tls: options.tls })
  const realm = `${listening.url}/token`

  const guard = (handler: Handler): Handler => {
    return async (request, response) => {
      const needed = neededScopes(request)
      const token = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1]
      const known = token === undefined ? undefined : issued.get(token)
      const valid = known !== undefined && known.expires > Date.now()
      if (valid && needed.map(parseScope).every((scope) => allows(known.access, scope)))
        return handler(request, response)
      const error = token === undefined ? '' : `,error="${valid ? 'insufficient_scope' : 'invalid_token'}"`
      const scope = needed.length === 0 ? '' : `,scope="${needed.join(' ')}"`
      request.resume()
      response.writeHead(401, {
        'content-type': 'application/json',
        'www-authenticate': `Bearer realm="${realm}",service="${SERVICE}"${scope}${error}`,
      })
      response.end('{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}')
    }
  }
  return {
    ...listening,
    auth: { realm, service: SERVICE, issuer: ISSUER, certificate: certificate.certificate },
    requests,
    identityToken,
    expireAll: () => issued.clear(),
    guard,
  }
}

interface Ask {
  readonly method: string
  readonly grant: string
  readonly user: string
  /** Password or refresh token. */
  readonly secret: string
  readonly service: string
  readonly scopes: readonly string[]
  readonly offline: boolean
}

async function readAsk(request: IncomingMessage): Promise<Ask> {
  const method = request.method!
  let form = new URL(request.url!, 'http://localhost').searchParams
  if (method === 'POST') {
    const chunks: Uint8Array[] = []
    for await (const chunk of request) chunks.push(chunk)
    form = new URLSearchParams(Buffer.concat(chunks).toString())
  }
  const value = (name: string) => form.get(name) ?? ''
  const common = {
    method,
    service: value('service'),
    scopes: form
      .getAll('scope')
      .flatMap((scope) => scope.split(' '))
      .filter((scope) => scope !== ''),
    offline: value('offline_token') === 'true' || value('access_type') === 'offline',
  }
  if (method === 'POST')
    return value('grant_type') === 'refresh_token'
      ? { ...common, grant: 'refresh_token', user: '', secret: value('refresh_token') }
      : { ...common, grant: value('grant_type'), user: value('username'), secret: value('password') }
  const basic = /^Basic (.+)$/i.exec(request.headers.authorization ?? '')?.[1]
  if (basic === undefined) return { ...common, grant: 'none', user: '', secret: '' }
  const text = Buffer.from(basic, 'base64').toString()
  const colon = text.indexOf(':')
  return { ...common, grant: 'basic', user: text.slice(0, colon), secret: text.slice(colon + 1) }
}

/** `repository:host:5000/app:pull,push`: the name may have colons. */
function parseScope(scope: string): Access {
  const first = scope.indexOf(':')
  const last = scope.lastIndexOf(':')
  return { type: scope.slice(0, first), name: scope.slice(first + 1, last), actions: scope.slice(last + 1).split(',') }
}

function allows(access: readonly Access[], needed: Access): boolean {
  const granted = access.filter(({ type, name }) => type === needed.type && name === needed.name)
  return needed.actions.every((action) => granted.some(({ actions }) => actions.includes(action)))
}

function neededScopes(request: IncomingMessage): string[] {
  const url = new URL(request.url!, 'http://localhost')
  if (url.pathname === '/v2/_catalog') return ['registry:catalog:*']
  const name = /^\/v2\/(.+)\/(?:blobs|manifests|tags|referrers)\//.exec(url.pathname)?.[1]
  if (name === undefined) return []
  const actions = { GET: 'pull', HEAD: 'pull', DELETE: 'delete' }[request.method!] ?? 'pull,push'
  const from = url.searchParams.get('from')
  return [`repository:${name}:${actions}`, ...(from === null ? [] : [`repository:${from}:pull`])]
}

/** A JWT (RFC 7519) whose key is told by its certificate. */
function signed(claims: unknown, { x5c, privateKey }: Certificate): string {
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const content = `${encode({ typ: 'JWT', alg: 'ES256', x5c: [x5c] })}.${encode(claims)}`
  const signature = sign('sha256', Buffer.from(content), { key: privateKey, dsaEncoding: 'ieee-p1363' })
  return `${content}.${signature.toString('base64url')}`
}
