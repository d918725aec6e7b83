// Which proxy a request takes, from the environment, as curl and Go's net/http read it (golang.org/x/net/http/httpproxy).
import { BlockList, isIP } from 'node:net'
import { StoreError } from '../error.js'
import { isLoopback } from './hosts.js'

/** An HTTP proxy. */
export interface HttpProxy {
  /** Without user and password. */
  readonly url: URL
  /** The `Proxy-Authorization` header, if the address has a login. */
  readonly authorization?: string
  /** The environment variable that names it. */
  readonly variable: string
}

/** The proxy for an address; undefined where it is reached directly. @throws StoreError UNREACHABLE where the variable's value is unusable */
export type ProxyFor = (url: URL) => HttpProxy | undefined

const VARIABLES: Readonly<Record<string, readonly string[]>> = {
  'https:': ['https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY'],
  'http:': ['http_proxy', 'HTTP_PROXY', 'all_proxy', 'ALL_PROXY'],
}

/**
 * Reads `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`; names in lower case come first. A proxy's address may lack its scheme
 * (`proxy.corp:3128`). This machine is always reached directly.
 */
export function proxiesFrom(environment: NodeJS.ProcessEnv): ProxyFor {
  const isDirect = directHosts(environment.no_proxy || environment.NO_PROXY || '')
  const known = new Map<string, HttpProxy>()
  return (url) => {
    const variable = VARIABLES[url.protocol]?.find((name) => (environment[name] ?? '').trim() !== '')
    if (variable === undefined || isLoopback(url.hostname) || isDirect(url)) return undefined
    const proxy = known.get(variable) ?? parseProxy(environment[variable]!.trim(), variable)
    known.set(variable, proxy)
    return proxy
  }
}

/** Whether the environment names a proxy at all. */
export function hasProxy(environment: NodeJS.ProcessEnv): boolean {
  return Object.values(VARIABLES).some((names) => names.some((name) => (environment[name] ?? '').trim() !== ''))
}

/** No message here has the value: it may hold a password. */
function parseProxy(value: string, variable: string): HttpProxy {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || url.hostname === '')
    throw new StoreError('UNREACHABLE', `${variable} is not the address of a proxy: write it as http://HOST:PORT`)
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new StoreError(
      'UNREACHABLE',
      `${variable} names a proxy of the kind ${url.protocol.slice(0, -1)}, which is not supported: name an HTTP proxy`,
    )
  const { username, password } = url
  const login = username === '' && password === '' ? undefined : `${decode(username)}:${decode(password)}`
  return {
    url: new URL(url.origin),
    variable,
    ...(login !== undefined && { authorization: `Basic ${Buffer.from(login).toString('base64')}` }),
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/**
 * The hosts of a `NO_PROXY`: names with all names below them (a leading dot or `*.` changes nothing), IP addresses, ranges of them (`10.0.0.0/8`,
 * `fd00::/8`), each of the first two with a port or without, and `*` for all.
 */
function directHosts(list: string): (url: URL) => boolean {
  const names: { readonly name: string; readonly port: string | undefined }[] = []
  const ranges = new BlockList()
  for (const entry of list.toLowerCase().split(/[\s,]+/)) {
    if (entry === '') continue
    if (entry === '*') return () => true
    const [address = '', bits = ''] = entry.split('/')
    const family = isIP(address)
    if (/^\d+$/.test(bits) && family !== 0) {
      if (Number(bits) <= (family === 4 ? 32 : 128)) ranges.addSubnet(address, Number(bits), familyName(family))
      continue
    }
    const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]*|.*:.*:.*?))(?::(\d+))?$/.exec(entry) ?? []
    const whole = isIP(entry) === 6 ? entry : (bracketed ?? plain ?? '')
    const name = whole.replace(/^\*?\./, '').replace(/\.$/, '')
    if (name !== '') names.push({ name, port: isIP(entry) === 6 ? undefined : port })
  }
  return (url) => {
    const host = url.hostname
      .toLowerCase()
      .replace(/^\[|\]$/g, '')
      .replace(/\.$/, '')
    const family = isIP(host)
    if (family !== 0 && ranges.check(host, familyName(family))) return true
    const port = url.port || (url.protocol === 'https:' ? '443' : '80')
    return names.some(
      ({ name, port: only }) =>
        (only === undefined || only === port) && (host === name || (family === 0 && host.endsWith(`.${name}`))),
    )
  }
}

const familyName = (family: number) => (family === 4 ? 'ipv4' : 'ipv6')
