import type { Descriptor } from '../document/descriptor.js'
import { StoreError } from '../error.js'
import type { Registry } from './client.js'
import { headManifest } from './manifest-reader.js'
import { checkPushed, STORED } from './push-blob.js'
import { repositoryScope } from './scope.js'

export interface ManifestPush {
  readonly repository: string
  /** A digest, or a tag. */
  readonly reference: string
  readonly descriptor: Descriptor
  readonly bytes: Uint8Array
  /** The tag must still be the manifest that had this `ETag`: a condition for registries that know one. */
  readonly ifMatch?: string | undefined
  readonly signal?: AbortSignal | undefined
}

export interface PushedManifest {
  /** Whether the registry has taken notice of the manifest's subject (`OCI-Subject`): then its referrers API has it. */
  readonly subjectNoted: boolean
  /** False where `ifMatch` did not hold. */
  readonly stored: boolean
}

/** How registries say that a tag is there for good: ECR, Harbor, Azure, Quay, GitLab. */
const IMMUTABLE_CODE = /^(?:TAG_INVALID|TAG_IMMUTABLE|IMMUTABLE|ImageTagAlreadyExists)/i
const IMMUTABLE_TEXT = /immutable|already exists|cannot be overwritten|read-?only tag|write-?locked|TagAlreadyExists/i

/**
 * Puts a manifest under a name (distribution-spec v1.1.1, "Pushing Manifests").
 * @throws StoreError TAG_IMMUTABLE if the tag is immutable and names another manifest
 */
export async function putManifest(registry: Registry, push: ManifestPush): Promise<PushedManifest> {
  const { repository, reference, descriptor, bytes, signal } = push
  const scopes = repositoryScope(repository, 'pull', 'push')
  const response = await registry.send({
    method: 'PUT',
    url: `/v2/${repository}/manifests/${reference}`,
    headers: {
      'content-type': descriptor.mediaType,
      'content-length': String(bytes.length),
      ...(push.ifMatch !== undefined && { 'if-match': push.ifMatch }),
    },
    body: bytes,
    scopes,
    expect: [...STORED, 400, 403, 405, 409, 412],
    signal,
  })
  if (STORED.includes(response.status)) {
    response.discard()
    checkPushed(response, descriptor.digest)
    return { subjectNoted: response.header('oci-subject') !== undefined, stored: true }
  }
  if (response.status === 412 && push.ifMatch !== undefined) {
    response.discard()
    return { subjectNoted: false, stored: false }
  }
  const { error, code, detail } = await registry.failure(response)
  if (IMMUTABLE_CODE.test(code) || IMMUTABLE_TEXT.test(detail)) {
    // An earlier attempt, whose answer was lost, may have done it.
    const present = await headManifest(registry, { repository, reference, scopes, signal })
    if (present?.digest === descriptor.digest) return { subjectNoted: false, stored: true }
    if (present !== undefined) throw immutable(registry, push, present, error)
  }
  throw error
}

function immutable(registry: Registry, push: ManifestPush, present: Descriptor, cause: StoreError): StoreError {
  const { repository, reference, descriptor } = push
  return new StoreError(
    'TAG_IMMUTABLE',
    `${registry.name}/${repository}:${reference} is an immutable tag of ${present.digest} and cannot be moved to ${descriptor.digest}: choose another tag`,
    { cause },
  )
}
