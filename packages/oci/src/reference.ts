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
  /** `-` is standard input or output. */
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

/**
 * Takes an image's name apart: `oci:DIR[:TAG]`, `oci-archive:FILE[:TAG]`, `docker-archive:FILE[:NAME]`, `memory:[TAG]`, each with
 * an optional `@sha256:…` at its end; `-`, an archive (of either form) on standard input or output; anything else is an image in a registry, with docker's
 * defaults and short names (distribution/reference v0.6.0; an optional `docker://` before it is skopeo's way of writing the same). A folder or file ends at the
 * first colon, but for that of a Windows drive (`oci:C:\images\app:v1`). Where there is a digest, it decides; the tag says what it was called.
 * @throws ImageReferenceError
 * @example
 * parseReference('oci:./image:app') // { transport: 'oci', path: './image', tag: 'app' }
 */
export function parseReference(_text: string): ImageReference {
  throw new Error('not yet')
}

/** The reference in full, such that `parseReference` gives it back. */
export function formatReference(_reference: ImageReference): string {
  throw new Error('not yet')
}

/** What `Store.resolve` takes: the digest, else the tag, else nothing. */
export function referenceWithin(reference: ImageReference): string | undefined {
  return reference.digest ?? reference.tag
}
