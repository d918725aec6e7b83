import { ImageReferenceError } from '../error.js'
import { isDigest } from './digest.js'

/** An image in a registry: `docker.io/library/alpine:3`, taken apart. */
export interface RegistryReference {
  readonly transport: 'registry'
  /** Host and optional port; `docker.io` where none was given. */
  readonly registry: string
  /** With `library/` where docker adds it. */
  readonly repository: string
  /** `latest` where neither tag nor digest was given. */
  readonly tag?: string
  readonly digest?: string
}

/** An image in a folder or file. */
export interface LocalReference {
  readonly transport: 'oci' | 'oci-archive' | 'docker-archive'
  /** For an archive `-` is standard input or output. */
  readonly path: string
  /** For a docker-archive a tag, or a name with its tag. */
  readonly tag?: string
  readonly digest?: string
}

/** An image in a store that only this process has. */
export interface MemoryReference {
  readonly transport: 'memory'
  readonly tag?: string
  readonly digest?: string
}

export type ImageReference = RegistryReference | LocalReference | MemoryReference

const LOCAL = /^(oci|oci-archive|docker-archive|memory):(.*)$/s
const ELSEWHERE: Readonly<Record<string, string>> = {
  'docker-daemon': 'save it with `docker save IMAGE`, and name the file docker-archive:FILE',
  'containers-storage': 'copy it with `skopeo copy containers-storage:IMAGE oci:DIR:TAG`, and name it oci:DIR:TAG',
  dir: 'copy it with `skopeo copy dir:PATH oci:DIR:TAG`, and name it oci:DIR:TAG',
}
const DIGEST_SUFFIX = /^(.*)@((?:sha256|sha512):[^@/]*)$/s
/** A path with a drive, `C:\\…` or `C:/…`, also in the form without a length limit, `\\\\?\\C:\\…`. */
const WINDOWS_PATH = /^(?:[\\/]{2}[?.][\\/])?[A-Za-z]:[\\/]/
/** A name within a layout or archive: the characters that image-spec v1.1.1 (annotations.md, "org.opencontainers.image.ref.name") allows, in any order. */
const LOCAL_TAG = /^[\w][\w.:@+/-]{0,511}$/

/**
 * Takes an image's name apart: `oci:DIR[:TAG]`, `oci-archive:FILE[:TAG]`, `docker-archive:FILE[:NAME]`, `memory:[TAG]`, each with an optional
 * `@sha256:…` at its end; `-`, an archive (of either form) on standard input or output; anything else is an image in a registry, with docker's
 * defaults and short names (distribution/reference v0.6.0; `docker://` before it is skopeo's way of writing the same). A folder or file ends
 * at the first colon, but for that of a Windows drive (`oci:C:\images\app:v1`). Where there is a digest, it decides; the tag says what it was called.
 * @throws ImageReferenceError
 * @example
 * parseReference('oci:./image:app') // { transport: 'oci', path: './image', tag: 'app' }
 */
export function parseReference(text: string): ImageReference {
  if (text === '-') return { transport: 'oci-archive', path: '-' }
  const local = LOCAL.exec(text)
  if (local !== null) return parseLocal(text, local[1] as LocalReference['transport'] | 'memory', local[2]!)
  const web = /^https?:\/\/(.+?)\/*$/s.exec(text)
  if (web !== null) throw invalid(text, `write it without the scheme, as ${web[1]}`)
  // `dir:1` is a repository's tag, `dir:/images/app` is a place
  const hint = /^dir:[\w][\w.-]*(?:@|$)/.test(text)
    ? undefined
    : ELSEWHERE[text.slice(0, Math.max(0, text.indexOf(':')))]
  if (hint !== undefined) throw invalid(text, `that place cannot be read directly: ${hint}`)
  return parseRegistry(text)
}

/** The reference in full, such that `parseReference` gives it back. */
export function formatReference(reference: ImageReference): string {
  const { transport, tag, digest } = reference
  const end = `${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`
  if (transport === 'registry') return `${reference.registry}/${reference.repository}${end}`
  if (transport === 'memory') return `memory:${end.replace(/^:/, '')}`
  return `${transport}:${reference.path}${end}`
}

/** What `Store.resolve` takes: the digest, else the tag, else nothing. */
export function referenceWithin(reference: ImageReference): string | undefined {
  return reference.digest ?? reference.tag
}

/** Whether an image of a layout or archive can have this name. */
export function isLocalTag(tag: string): boolean {
  return LOCAL_TAG.test(tag) && !isDigest(tag)
}

/** Whether a registry can have a repository of that name: `library/alpine`. */
export function isRepositoryName(name: string): boolean {
  return name.length <= REPOSITORY_LENGTH && REPOSITORY.test(name)
}

/** Whether an image in a registry can have this tag. */
export function isTag(tag: string): boolean {
  return TAG.test(tag)
}

function parseLocal(text: string, transport: LocalReference['transport'] | 'memory', rest: string): ImageReference {
  const suffix = DIGEST_SUFFIX.exec(rest)
  const digest = suffix?.[2]
  if (digest !== undefined && !isDigest(digest)) throw invalid(text, `"${digest}" is not a digest`)
  const name = suffix === null ? rest : suffix[1]!
  let path = name
  let tag: string | undefined
  if (transport === 'memory') {
    path = ''
    tag = name === '' ? undefined : name
  } else {
    const colon = name.indexOf(':', WINDOWS_PATH.exec(name)?.[0].length ?? 0)
    if (colon >= 0) {
      path = name.slice(0, colon)
      tag = name.slice(colon + 1)
    }
    if (path === '') throw invalid(text, `it names no ${transport === 'oci' ? 'folder' : 'file'} after "${transport}:"`)
    if (path.includes('\0')) throw invalid(text, 'a path has no NUL')
  }
  if (tag !== undefined && !isLocalTag(tag)) throw invalid(text, `"${tag}" is not a tag`)
  const within = { ...(tag !== undefined && { tag }), ...(digest !== undefined && { digest }) }
  return transport === 'memory' ? { transport, ...within } : { transport, path, ...within }
}

const DOMAIN_PART = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])'
const REGISTRY = new RegExp(`^(?:${DOMAIN_PART}(?:\\.${DOMAIN_PART})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`)
const REPOSITORY_PART = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*'
const REPOSITORY = new RegExp(`^${REPOSITORY_PART}(?:/${REPOSITORY_PART})*$`)
const TAG = /^\w[\w.-]{0,127}$/
const REPOSITORY_LENGTH = 255 // distribution/reference, RepositoryNameTotalLengthMax
const REFERENCE_LENGTH = 1024 // more than a registry, a repository, a tag and a digest need

function parseRegistry(text: string): RegistryReference {
  if (text.length > REFERENCE_LENGTH)
    throw invalid(text, `it has ${text.length} characters, the most is ${REFERENCE_LENGTH}`)
  const written = text.replace(/^docker:\/\//, '')
  if (/^[0-9a-f]{64}$/.test(written)) throw invalid(text, 'it could be an image id: write name@sha256:… instead')
  const [registry, rest] = splitRegistry(written)
  const at = rest.indexOf('@')
  const named = at < 0 ? rest : rest.slice(0, at)
  const digest = at < 0 ? undefined : rest.slice(at + 1)
  const colon = named.indexOf(':')
  const repository = colon < 0 ? named : named.slice(0, colon)
  const tag = colon < 0 ? undefined : named.slice(colon + 1)
  if (!REGISTRY.test(registry)) throw invalid(text, `"${registry}" is not a registry host${pathHint(text)}`)
  if (repository !== repository.toLowerCase())
    throw invalid(text, `the repository "${repository}" must be in lower case`)
  if (!REPOSITORY.test(repository)) throw invalid(text, `"${repository}" is not a repository name${pathHint(text)}`)
  if (repository.length > REPOSITORY_LENGTH)
    throw invalid(text, `the repository has ${repository.length} characters, the most is ${REPOSITORY_LENGTH}`)
  if (tag !== undefined && !TAG.test(tag)) throw invalid(text, `"${tag}" is not a tag`)
  if (digest !== undefined && !isDigest(digest)) throw invalid(text, `"${digest}" is not a digest`)
  const name = { transport: 'registry', registry, repository } as const
  if (digest !== undefined) return { ...name, ...(tag !== undefined && { tag }), digest }
  return { ...name, tag: tag ?? 'latest' }
}

/** The part before the first slash is a host if it looks like one, or cannot be a namespace (normalize.go, splitDockerDomain). */
function splitRegistry(name: string): [registry: string, rest: string] {
  const slash = name.indexOf('/')
  const first = name.slice(0, Math.max(0, slash))
  const isHost = first === 'localhost' || /[.:]/.test(first) || first !== first.toLowerCase()
  const registry = isHost && first !== 'index.docker.io' ? first : 'docker.io'
  const rest = isHost ? name.slice(slash + 1) : name
  return [registry, registry === 'docker.io' && !rest.includes('/') ? `library/${rest}` : rest]
}

function pathHint(text: string): string {
  return /^(?:[./~\\]|[A-Za-z]:[\\/])|\.tar$/.test(text)
    ? `; for a folder or file write oci:${text}, oci-archive:${text} or docker-archive:${text}`
    : ''
}

function invalid(text: string, reason: string): ImageReferenceError {
  return new ImageReferenceError(`"${text.slice(0, 300)}" is not an image name: ${reason}`)
}
