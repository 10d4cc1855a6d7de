/**
 * Where an image goes, with the names of containers-transports(5):
 * `docker-archive:FILE[:NAME[:TAG]]`, `oci-archive:FILE[:TAG|:NAME:TAG]`, `-` for the standard output.
 */
import { PhylloError } from '../errors.ts';
import { type ImageReference, parseImageReference, parseTag } from '../image/image-reference.ts';

export type Destination = ArchiveDestination | StdoutDestination;

export interface ArchiveDestination {
  readonly kind: 'archive';
  readonly file: string;
  /** What the image is called there; undefined: as its description says. */
  readonly reference: ((own: ImageReference | undefined) => ImageReference) | undefined;
}

export interface StdoutDestination {
  readonly kind: 'stdout';
}

const HINT =
  'destinations: docker-archive:FILE[:NAME[:TAG]], oci-archive:FILE[:TAG], or - for the standard output';

/** @throws PhylloError DESTINATION_INVALID, IMAGE_REFERENCE_INVALID */
export function parseDestination(text: string): Destination {
  if (text === '-') return { kind: 'stdout' };
  const [, transport, rest = ''] = /^([a-z-]+):(.*)$/s.exec(text) ?? [];
  if (transport !== 'docker-archive' && transport !== 'oci-archive') throw unknownTransport(text);
  const [, file = '', , name] = /^([^:]*)(:(.*))?$/s.exec(rest) ?? [];
  if (file === '') throw invalid(text, 'it names no file');
  if (name === undefined) return { kind: 'archive', file, reference: undefined };
  return {
    kind: 'archive',
    file,
    reference: transport === 'docker-archive' ? dockerName(name) : ociName(name),
  };
}

function dockerName(text: string): ArchiveDestination['reference'] {
  parseImageReference(text, { tag: 'latest' });
  return (own) => parseImageReference(text, { tag: own?.tag ?? 'latest' });
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

function unknownTransport(text: string): PhylloError {
  return invalid(text, 'its transport is not one of those that can be written to');
}

function invalid(text: string, reason: string): PhylloError {
  return new PhylloError('DESTINATION_INVALID', `not a destination: ${JSON.stringify(text)}: ${reason}`, {
    hint: HINT,
  });
}
