import { type IResolvable, Token, Tokenization } from 'aws-cdk-lib'
import { Placeholders, UNKNOWN } from './placeholders'

/** An image of any registry. All but `registry` may hold tokens. */
export interface SourceName {
  readonly registry: string
  /** With `library/` where Docker Hub has it. */
  readonly path: string
  readonly tag: string | undefined
  readonly digest: string | undefined
}

/** The name in full: no part of it can be taken for something else. */
export function formatSourceName({ registry, path, tag, digest }: SourceName): string {
  const end = digest === undefined ? `:${tag ?? 'latest'}` : `${tag === undefined ? '' : `:${tag}`}@${digest}`
  return `${registry}/${path}${end}`
}

const DOCKER_HUB = 'docker.io'

/** https://github.com/distribution/reference, regexp.go; a token may be anything after the registry. */
const NAME = new RegExp(
  `^(?:(?<registry>localhost(?::\\d+)?|[a-z0-9-]+(?:\\.[a-z0-9-]+)+(?::\\d+)?|[a-z0-9-]+:\\d+)/)?(?<path>[a-z0-9${UNKNOWN}]+(?:(?:[._/]|__|-+)[a-z0-9${UNKNOWN}]+)*)(?::(?<tag>[\\w${UNKNOWN}][\\w.${UNKNOWN}-]{0,127}))?(?:@(?<digest>sha256:[0-9a-f]{64}|(?:sha256:)?[${UNKNOWN}]))?$`,
)

/** @throws Error with the name and how to write it */
export function parseSourceName(name: string): SourceName {
  const tokens = new Placeholders<IResolvable>()
  const text: string = Tokenization.reverseString(name)
    .mapTokens({ mapToken: (token) => tokens.add(token) })
    .join({ join: (left, right) => `${left ?? ''}${right ?? ''}` })
  const { registry = DOCKER_HUB, path, tag, digest } = NAME.exec(text)?.groups ?? {}
  if (path === undefined || (registry === DOCKER_HUB && startsUnknown(path)))
    throw new Error(
      `the image's name is "${tokens.restore(text, () => '<token>')}": write it as nginx:1.27, as ghcr.io/owner/image:tag, or with a digest @sha256:…; tokens may only follow the registry`,
    )
  const restored = (part: string) => tokens.restore(part, (token) => Token.asString(token))
  const inLibrary = registry === DOCKER_HUB && !path.includes('/')
  return {
    registry,
    path: restored(inLibrary ? `library/${path}` : path),
    tag: tag && restored(tag),
    digest: digest && restored(digest),
  }
}

/** Then the token may hold a registry. */
function startsUnknown(path: string): boolean {
  return new RegExp(`^[${UNKNOWN}]`).test(path)
}
