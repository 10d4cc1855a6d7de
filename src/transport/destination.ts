/**
 * Where an image goes, with the names of containers-transports(5):
 * `docker-archive:FILE[:NAME[:TAG]]`, `oci-archive:FILE[:TAG|:NAME:TAG]`, `oci:DIR[:TAG|:NAME:TAG]`, `docker://NAME[:TAG]`,
 * `docker-daemon:NAME[:TAG]`, `-` for the standard output.
 */
import { PhylloError } from '../errors.ts';
import { type ImageReference, parseImageReference, parseTag } from '../image/image-reference.ts';
import { type Compression, LEVELS } from '../layer/encoder.ts';
import { parseRegistryReference } from './registry/registry-reference.ts';

export type Destination =
  ArchiveDestination | LayoutDestination | RegistryDestination | DaemonDestination | StdoutDestination;

export interface ArchiveDestination {
  readonly kind: 'archive';
  readonly file: string;
  /** What the image is called there; undefined: as its description says. */
  readonly reference: ((own: ImageReference | undefined) => ImageReference) | undefined;
}

/** A directory with an OCI image layout, which it becomes if it is none yet. */
export interface LayoutDestination {
  readonly kind: 'layout';
  readonly directory: string;
  readonly reference: ArchiveDestination['reference'];
}

/** A repository of a registry. */
export interface RegistryDestination {
  readonly kind: 'registry';
  /** With the registry's host. */
  readonly reference: (own: ImageReference | undefined) => ImageReference;
}

/** A Docker engine. */
export interface DaemonDestination {
  readonly kind: 'daemon';
  readonly reference: (own: ImageReference | undefined) => ImageReference;
}

export interface StdoutDestination {
  readonly kind: 'stdout';
}

const HINT =
  'destinations: docker-archive:FILE[:NAME[:TAG]], oci-archive:FILE[:TAG], oci:DIR[:TAG], docker://NAME[:TAG], docker-daemon:NAME[:TAG], or - for the standard output';

/** @throws PhylloError DESTINATION_INVALID, IMAGE_REFERENCE_INVALID */
export function parseDestination(text: string): Destination {
  if (text === '-') return { kind: 'stdout' };
  const [, inRegistry] = /^docker:\/\/(.+)$/s.exec(text) ?? [];
  if (inRegistry !== undefined) return { kind: 'registry', reference: registryName(inRegistry) };
  const [, inDaemon] = /^docker-daemon:(.*)$/s.exec(text) ?? [];
  if (inDaemon !== undefined) return { kind: 'daemon', reference: dockerName(inDaemon) };
  const [, transport, rest = ''] = /^([a-z-]+):(.*)$/s.exec(text) ?? [];
  if (transport === undefined || !(transport in NAMES)) throw unknownTransport(text);
  const [, place = '', , name] = /^([^:]*)(:(.*))?$/s.exec(rest) ?? [];
  if (place === '') throw invalid(text, 'it names no file or directory');
  const reference = name === undefined ? undefined : NAMES[transport as keyof typeof NAMES](name);
  return transport === 'oci'
    ? { kind: 'layout', directory: place, reference }
    : { kind: 'archive', file: place, reference };
}

/** How each transport reads what follows the place. */
const NAMES = { 'docker-archive': dockerName, 'oci-archive': ociName, oci: ociName } as const;

function dockerName(text: string): DaemonDestination['reference'] {
  parseImageReference(text, { tag: 'latest' });
  return (own) => parseImageReference(text, { tag: own?.tag ?? 'latest' });
}

/** @throws PhylloError IMAGE_REFERENCE_INVALID, DIGEST_INVALID, DESTINATION_INVALID */
function registryName(text: string): RegistryDestination['reference'] {
  const { digest, tag, ...place } = parseRegistryReference(text);
  if (digest !== undefined)
    throw invalid(`docker://${text}`, 'what an image is decides its digest: name a tag instead');
  return (own) => ({ name: `${place.host}/${place.repository}`, tag: tag ?? own?.tag ?? 'latest' });
}

/** skopeo's users write the tag alone there. */
function ociName(text: string): ArchiveDestination['reference'] {
  if (text.includes(':')) return dockerName(text);
  const tag = parseTag(text);
  return (own) => {
    if (own !== undefined) return { ...own, tag };
    throw new PhylloError('IMAGE_INVALID', 'the image has no name', {
      hint: 'set name in IMAGE.json, or --name',
    });
  };
}

/** Archives and layouts are read where they are; what goes over networks is to be small, and for every client to unpack. */
export function defaultCompression(kind: Destination['kind']): Compression {
  return kind === 'registry' ? { kind: 'gzip', level: LEVELS.gzip.default } : { kind: 'none' };
}

function unknownTransport(text: string): PhylloError {
  return invalid(text, 'its transport is not one of those that can be written to');
}

function invalid(text: string, reason: string): PhylloError {
  return new PhylloError('DESTINATION_INVALID', `not a destination: ${JSON.stringify(text)}: ${reason}`, {
    hint: HINT,
  });
}
