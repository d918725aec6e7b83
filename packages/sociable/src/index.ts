// What callers catch and pass, so that they need no other package
export {
  type Content,
  type Descriptor,
  ImageReferenceError,
  ManifestError,
  openStore,
  type Store,
  StoreError,
  type StoreErrorCode,
} from '@sociable/oci'
export { LayerFormatError, ZtocFormatError } from '@sociable/ztoc'
export { type BackfillImage, type BackfillOptions, type BackfillResult, backfill } from './backfill.js'
export { type CheckConvertedResult, checkConverted } from './check-converted.js'
export { type CheckProfileOptions, type CheckProfileResult, checkProfile } from './check-profile.js'
export { convert } from './convert.js'
export { type CopyImageOptions, type CopyImageResult, copyImage } from './copy-image.js'
export { createIndex } from './create.js'
export { type DiffLayer, type DiffPlatform, type DiffResult, diff } from './diff.js'
export { type DiskUsage, type DiskUsageOptions, diskUsage } from './disk-usage.js'
export { ImageError, type ImageErrorCode } from './error.js'
export type { Eligibility } from './image/eligibility.js'
export { isLayerType } from './image/layer-type.js'
export {
  type EntryType,
  type FetchStatistics,
  type Image,
  type ImageEntry,
  type OpenImageOptions,
  openImage,
} from './image.js'
export { type ImageConfigOptions, type ImageConfigResult, imageConfig } from './image-config.js'
export {
  type InspectedLayer,
  type InspectedPlatform,
  type InspectOptions,
  type InspectResult,
  inspect,
} from './inspect.js'
export { type ListTagsOptions, listTags } from './list-tags.js'
export { indexOneLayer, type OneLayerOptions } from './one-layer.js'
export type {
  CallOptions,
  ConvertOptions,
  CreateOptions,
  ImageLocation,
  IndexOptions,
  Optimization,
  RegistryAccess,
  StartLayerKind,
  WholeLayerOptions,
} from './options.js'
export { printable, printableJson } from './printable.js'
export { decodeProfile as parseProfile } from './profile/decode-profile.js'
export { encodeProfile } from './profile/encode-profile.js'
export type { ByteRange, Profile, ProfileFile } from './profile/profile.js'
export {
  profileFromTraces,
  type TraceForm,
  type TraceOptions,
  type TraceResult,
  type TraceSource,
} from './profile/profile-from-traces.js'
export { TraceError } from './profile/trace-error.js'
export { type ProfileImageOptions, type ProfileImageResult, profileImage } from './profile-static.js'
export type { PlannedLayer, ProgressEvent } from './progress.js'
export { type PrunedImage, type PruneOptions, type PruneResult, prune } from './prune.js'
export type { ExtractOptions, ExtractResult, SkippedEntry } from './reading/extract-result.js'
export { type RemoveSociOptions, type RemoveSociResult, removeSoci, type SociIndexResult } from './remove-soci.js'
export { type ReportOptions, type ReportResult, report } from './report.js'
export type {
  ContentResult,
  ConvertResult,
  CreateResult,
  LayerResult,
  PlatformResult,
  ProfileResult,
  StartLayerResult,
} from './result.js'
export { type SimulateOptions, type SimulateResult, simulate } from './simulate.js'
export type { SimulatedWay } from './simulating/compare-ways.js'
export type { StartConditions } from './simulating/start-time.js'
export { IMAGE_MANIFEST_DIGEST, INDEX_DIGEST } from './soci/soci-index.js'
export {
  assembleConversion,
  type ConversionLayer,
  type ConversionPlan,
  indexPlannedLayer,
  planConversion,
} from './steps.js'
export { type VerifyOptions, type VerifyResult, verify } from './verify.js'
export type { Finding, FindingCode } from './verifying/finding.js'
export { type WaitOptions, type WaitResult, waitForIndex } from './wait.js'
