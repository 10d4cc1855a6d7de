/** The public API. */
export {
  buildImage,
  type BuildOptions,
  type BuildPhase,
  type BuiltImage,
  type BuiltLayer,
  requireReference,
} from './build-image.ts';
export { buildIndex, type BuildIndexOptions, type BuiltIndex, type IndexPart } from './build-index.ts';
export { type Digest, parseDigest } from './digest.ts';
export { describeInitially, type InitialDescription } from './initial-description.ts';
export type { HttpSettings } from './http/http-client.ts';
export { type ErrorCode, PhylloError, reasonOf } from './errors.ts';
export { INHERITABLE_FIELDS } from './image/base-image.ts';
export {
  type FieldNamer,
  fieldInFile,
  type ImageDescription,
  imageSchema,
  parseImageDescription,
} from './image/image-description.ts';
export { type DockerToolsConf, parseDockerToolsConf } from './image/dockertools-conf.ts';
export { familiarName, type ImageReference, parseImageReference } from './image/image-reference.ts';
export { type ImageSettings, resolveSettings, type Surroundings } from './image/image-settings.ts';
export { isJsonObject, type JsonObject, type JsonValue, parseJson } from './image/json.ts';
export { type OrderedJson, parseOrderedJson } from './image/ordered-json.ts';
export {
  type CacheStat,
  dayOf,
  type DigestCache,
  type Memory,
  NO_CACHE,
  openDigestCache,
  SqliteDigestCache,
} from './layer/digest-cache.ts';
export { type Compression, LEVELS, parseCompression } from './layer/encoder.ts';
export type { ProgressState } from './layer/progress.ts';
export {
  type ClosureJson,
  type ClosurePathJson,
  closureToJson,
  renderChain,
  renderClosure,
  renderClosureTree,
} from './plan/closure-views.ts';
export {
  billOfImage,
  billOfPaths,
  type DescribedBill,
  type ImageBillOptions,
  type PathsBillOptions,
} from './describe-bill.ts';
export { describeSize } from './plan/describe-size.ts';
export { diffImages, type DiffOptions } from './diff-images.ts';
export { type Base, openBase } from './open-base.ts';
export { openPrevious, type Previous } from './open-previous.ts';
export type { ExtraLayer } from './plan/plan-rows.ts';
export type { LayerPlan, LayerReason } from './plan/layer-plan.ts';
export { planToDot } from './plan/plan-dot.ts';
export { planToJson, type PlanJson } from './plan/plan-json.ts';
export { renderPlanTable, type PlanTableOptions } from './plan/plan-table.ts';
export type { Cause, UpdateCauses } from './plan/update-causes.ts';
export type { LayerChange, SeenImage, SeenLayer, UpdateCost } from './plan/update-cost.ts';
export { renderUpdateCost, type UpdateTableOptions } from './plan/update-table.ts';
export { type ImagePlan, planImage } from './plan-image.ts';
export { priceUpdate, type PriceOptions } from './price-update.ts';
export { type PageAssets, renderReport } from './report/render-report.ts';
export type { PageData, PathState, ReportLayer, ReportPath } from './report/page-data.ts';
export type { ImageFact, ReportData, ReportUpdate } from './report/report-data.ts';
export { reportImage, type ReportOptions } from './report-image.ts';
export {
  type StreamDockerToolsOptions,
  streamDockerToolsImage,
  type StreamedImage,
} from './stream-dockertools.ts';
export type { Bill, BillPart, ImageSubject, PathsSubject } from './sbom/bill.ts';
export { encodeBill, SBOM_MEDIA_TYPES, type SbomFormat } from './sbom/encode-bill.ts';
export { type CacheCredentials, type Login, parseNetrc } from './store/cache-credentials.ts';
export { buildInstallables } from './store/installable.ts';
export { isTypedPath, resolveTypedPath } from './store/typed-path.ts';
export { openNarinfoCache, type NarinfoCache } from './store/narinfo-cache.ts';
export { type NixConf, nixConfList, readNixConf } from './store/nix-conf.ts';
export { type CacheSettings, NIXOS_CACHE_KEY, openStore, type OpenStoreOptions } from './store/open-store.ts';
export type { Closure, PathInfo, Store } from './store/store.ts';
export { parseStorePath, type StorePath } from './store/store-path.ts';
export {
  type CopyDestination,
  copyImage,
  type CopyOptions,
  mergeImages,
  parseCopyDestination,
  type RootfsDestination,
} from './transport/copy-image.ts';
export type { DaemonAddress, DaemonTls, LocateDaemon } from './transport/daemon/daemon-address.ts';
export { type DaemonSettings, findDaemon } from './transport/daemon/find-daemon.ts';
export type { LoadedImage } from './transport/daemon/load-image.ts';
export type { Compressor } from './transport/archive-output.ts';
export { outputError } from './transport/archive-stream.ts';
export type { Pushed } from './transport/deliver.ts';
export type { ArchiveFormat, Target } from './transport/target.ts';
export { defaultCompression, type Destination, parseDestination } from './transport/destination.ts';
export {
  writeCustomisation,
  type WriteCustomisationOptions,
  type WrittenCustomisation,
} from './write-customisation.ts';
export {
  type AttachedSbom,
  type DeliveredSbom,
  type SbomRequest,
  writeSbom,
  type WriteSbomOptions,
} from './deliver-sbom.ts';
export { writeReport, type WriteReportOptions } from './write-report.ts';
export type { CopiedToRegistry } from './transport/copy-to-registry.ts';
export { exportRootfs } from './transport/export-rootfs.ts';
export { parsePublicKey, parseSecretKey, type PublicKey, type SecretKey } from './store/signing-key.ts';
export { openSharedCache, type OpenSharedCacheOptions } from './transport/shared-cache/open-shared-cache.ts';
export type { SharedCache, SharedCacheUse } from './transport/shared-cache/shared-cache.ts';
export { isDaemonImage, isRegistryImage, openImage, registryOf } from './transport/image-source.ts';
export {
  createIndex,
  type CreatedIndex,
  type CreateIndexOptions,
  type IndexAnnotations,
} from './transport/create-index.ts';
export type { IndexPlace } from './transport/publish-index.ts';
export { type Referrer, referrersOf } from './transport/image-referrers.ts';
export { type ImageSummary, inspectImage, type LayerSummary } from './transport/inspect-image.ts';
export {
  type OpenImageOptions,
  type PlatformChoice,
  readLayer,
  type SourceImage,
  type SourceLayer,
} from './transport/source-image.ts';
export { checkCredentials, type CheckOptions } from './transport/registry/check-credentials.ts';
export type {
  Credentials,
  IdentityToken,
  PasswordCredentials,
} from './transport/registry/credential-types.ts';
export {
  type CredentialSettings,
  type ExplicitCredentials,
  findCredentials,
} from './transport/registry/credentials.ts';
export { type ArtifactBlob, type ArtifactToPush, pushArtifact } from './transport/registry/push-artifact.ts';
export { listReferrers, type ReferrersQuery } from './transport/registry/referrers.ts';
export { forgetCredentials, keepCredentials } from './transport/registry/keep-credentials.ts';
export { Registries, type RegistriesOptions } from './transport/registry/registries.ts';
export { authenticateWith } from './transport/registry/registry-authenticator.ts';
export { parseRegistryHost } from './transport/registry/registry-reference.ts';
