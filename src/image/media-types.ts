/** @see OCI image-spec v1.1, media-types.md */
export const MEDIA_TYPES = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
  empty: 'application/vnd.oci.empty.v1+json',
} as const;

/** The media type says how a layer is compressed. @see OCI image-spec v1.1, layer.md */
export const LAYER_MEDIA_TYPES = {
  none: MEDIA_TYPES.layer,
  gzip: `${MEDIA_TYPES.layer}+gzip`,
  zstd: `${MEDIA_TYPES.layer}+zstd`,
} as const;

const DOCKER_MANIFEST_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';

/** Documents that list manifests. @see Docker image manifest v2 schema 2, "Manifest List" */
export const INDEX_TYPES: ReadonlySet<string> = new Set([MEDIA_TYPES.index, DOCKER_MANIFEST_LIST]);
