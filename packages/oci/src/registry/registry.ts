// What of the registry is for others.
export { AWS_TIMEOUTS, type AwsTimeouts, awsRequestHandler } from './aws-request-handler.js'
export { type EcrCatalogApi, type EcrRepositories, listRepositories } from './catalog.js'
export { type ForRegistries, RegistryClient, type RegistryOptions } from './client.js'
export {
  type Credential,
  type CredentialRequest,
  type Credentials,
  explicitCredential,
  firstOf,
} from './credentials/credential.js'
export { defaultCredentials, dockerConfigFile } from './credentials/default.js'
export { type EcrApi, type EcrToken, ecrCredentials } from './credentials/ecr.js'
export { removeLogin, saveLogin } from './credentials/login-file.js'
export type { EcrDeletionFailure, EcrImagesApi } from './ecr-images.js'
export { type EcrTagRules, type EcrTagsApi, ecrImmutableTags, type ImmutableTags } from './immutable-tags.js'
export { openRegistry, RegistryStore } from './registry-store.js'
export type { RetryPolicy } from './retry.js'
