export { DOCUMENT_LIMIT, readContent, resolveIfThere } from './content.js'
export { type CopyOptions, type CopyResult, copyContent } from './copy.js'
export type { Descriptor, Platform } from './document/descriptor.js'
export {
  ContentVerifier,
  type Digest,
  type DigestAlgorithm,
  digestOf,
  isDigest,
  parseDigest,
  verifying,
} from './document/digest.js'
export { type EcrHost, parseEcrHost } from './document/ecr-host.js'
export {
  isJsonObject,
  type JsonNumber,
  type JsonObject,
  type JsonValue,
  member,
  parseJson,
  printJson,
} from './document/gojson.js'
export {
  checkDocument,
  contentsOf,
  decodeDocument,
  decodeImageConfig,
  decodeIndex,
  decodeManifest,
  encodeIndex,
  encodeManifest,
  type ImageConfig,
  type Index,
  type Integer,
  type Manifest,
} from './document/manifest.js'
export { matchesPattern } from './document/match-pattern.js'
export * from './document/mediatype.js'
export {
  formatReference,
  type ImageReference,
  type LocalReference,
  type MemoryReference,
  parseReference,
  type RegistryReference,
  referenceWithin,
} from './document/reference.js'
export {
  ImageReferenceError,
  ManifestError,
  type ManifestErrorCode,
  StoreError,
  type StoreErrorCode,
  type StoreErrorOptions,
} from './error.js'
export { whileBusy } from './file/while-busy.js'
export { createMemoryStore } from './memory.js'
export { type OpenOptions, openStore } from './open.js'
export { readAhead } from './read-ahead.js'
// Its values are in @sociable/oci/registry, as loading HTTP takes longer than what is done without it.
export type { Credential, Credentials, RegistryClient, RegistryStore } from './registry/registry.js'
export {
  type LayoutRepositories,
  type LayoutRepositoriesOptions,
  type LeftOutFolder,
  layoutRepositories,
} from './server/layout-repositories.js'
export type { RegistryOptions } from './server/registry.js'
export { type RegistryServer, type RegistryServerOptions, serveRegistry } from './server/registry-server.js'
export { memoryRepositories, type Repositories, type ServedStore } from './server/repositories.js'
export type { UploadStage } from './server/upload-stage.js'
export type { CallOptions, Content, FetchOptions, LocalContent, PushOptions, ResolveOptions, Store } from './store.js'
