/**
 * Names of images in registries: `[HOST[:PORT]/]REPOSITORY[:TAG][@DIGEST]`.
 *
 * @see distribution/reference, "Grammar"; containers-transports(5), "docker://"
 */
import { type Digest, parseDigest } from '../../digest.ts';
import { PhylloError } from '../../errors.ts';
import { parseImageName, parseTag } from '../../image/image-reference.ts';

export interface RegistryReference {
  /** As users and credentials files know it: `docker.io`, `ghcr.io`, `127.0.0.1:5000`. */
  readonly host: string;
  /** `library/debian` for Docker Hub's `debian`. */
  readonly repository: string;
  readonly tag: string | undefined;
  readonly digest: Digest | undefined;
}

const HUB = 'docker.io';
const HUB_ALIASES: ReadonlySet<string> = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io']);

/**
 * What follows `docker://`.
 * @throws PhylloError IMAGE_REFERENCE_INVALID, DIGEST_INVALID
 */
export function parseRegistryReference(text: string): RegistryReference {
  const [named = '', digest, ...more] = text.split('@');
  if (more.length > 0) throw invalid(text);
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1);
  const name = parseImageName(colon === -1 ? named : named.slice(0, colon));
  return {
    ...splitHost(name),
    tag: colon === -1 ? undefined : parseTag(named.slice(colon + 1)),
    digest: digest === undefined ? undefined : parseDigest(digest),
  };
}

/**
 * The registry alone: a host, perhaps with a port; an address of it will do.
 * @throws PhylloError IMAGE_REFERENCE_INVALID
 */
export function parseRegistryHost(text: string): string {
  const host = text.replace(/^https?:\/\//, '').replace(/\/(v[12]\/?)?$/, '');
  if (HUB_ALIASES.has(host.toLowerCase())) return HUB;
  const { host: parsed, repository } = parseRegistryReference(`${host}/x`);
  if (repository === 'x') return parsed;
  throw new PhylloError('IMAGE_REFERENCE_INVALID', `not a registry: ${JSON.stringify(text)}`, {
    hint: 'it looks like registry.example, registry.example:5000, localhost:5000 or docker.io',
  });
}

/** Whoever names no registry means Docker Hub, and whoever names no namespace there means `library`. */
function splitHost(name: string): Pick<RegistryReference, 'host' | 'repository'> {
  const slash = name.indexOf('/');
  const first = name.slice(0, Math.max(slash, 0));
  const isHost = /[.:]/.test(first) || first === 'localhost';
  if (isHost && !HUB_ALIASES.has(first)) return { host: first, repository: name.slice(slash + 1) };
  const repository = isHost ? name.slice(slash + 1) : name;
  return { host: HUB, repository: repository.includes('/') ? repository : `library/${repository}` };
}

/** As `parseRegistryReference` takes it. */
export function describeRegistryReference({ host, repository, tag, digest }: RegistryReference): string {
  return `${host}/${repository}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}

/** Where the registry answers: Docker Hub's name is not its address. */
export function registryHost(host: string): string {
  return host === HUB ? 'registry-1.docker.io' : host;
}

function invalid(text: string): PhylloError {
  return new PhylloError('IMAGE_REFERENCE_INVALID', `not an image in a registry: ${JSON.stringify(text)}`, {
    hint: 'it looks like registry.example/team/hello:1 or registry.example/team/hello@sha256:…',
  });
}
