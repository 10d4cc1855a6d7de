/**
 * What store paths' names tell of how their contents change: which paths change together, and how often.
 *
 * Definitions
 *   source(v)   the name up to the first dash before a digit: `openssl` of `openssl-3.0.13-bin`
 *   version(v)  what follows, without an output's name: `3.0.13`
 *   key(v)      source and output, and `#k` for the k-th path of those that share them, by version ascending
 *   unit(v)     paths that a release changes together: those of one long version (packages cut from one source), else those of
 *               one source and version. A short version says nothing: many packages are at 1.0.2.
 *
 * Keys hold no hash and no current version, so that they stay the same from release to release, and all ties go by them.
 */
import type { PathInfo } from '../store/store.ts';
import { describePath } from './describe-plan.ts';
import { rankTexts } from './text-order.ts';

/** Arrays by the place of a path in the input. */
export interface SteadyNames {
  readonly sources: readonly string[];
  /** Places of the keys in their order; all different. */
  readonly keyRanks: Int32Array;
  readonly units: readonly string[];
}

interface ParsedName {
  readonly source: string;
  /** With its dash; mostly empty. */
  readonly output: string;
  readonly version: string;
}

/** Of characters: from here on, equal versions mean one source. */
const LONG_VERSION = 8;
/** That no number in a version has more of. */
const DIGITS = 10;
/** Times the rate of other paths: 1, 3 and 10 were tried on the histories in bench/corpora and three more like them. */
const VOLATILE_RATE = 3;

/**
 * Sources (without a leading `lib`) that get releases in every branch of every distribution, mostly for security: parsers of untrusted
 * data, cryptography, network protocols, language runtimes, data of the world. Written with the change counts of those histories in view,
 * so that it fits them better than it will fit others.
 */
const VOLATILE = new Set(
  (
    'openssl ssl gnutls nss crypto curl nghttp ssh openssh krb gssapi cacert ca-certificates tzdata ' +
    'c glibc linux systemd udev sudo dbus pam glib gnupg ' +
    'xml xslt expat png tiff webp jpeg-turbo openjp openjpeg poppler ghostscript gs imagemagick cups freetype ' +
    'ffmpeg av avcodec avformat avutil avfilter swscale gst gstreamer ' +
    'sqlite postgresql pq mariadb mysql redis bind samba nginx httpd apache haproxy ' +
    'php python perl ruby node nodejs go openjdk git vim webkitgtk firefox thunderbird chromium'
  ).split(' '),
);

/** @param infos ascending by path */
export function nameSteadily(infos: readonly PathInfo[]): SteadyNames {
  const names = infos.map(({ path }) => parseName(describePath(path)));
  const byKey = Map.groupBy(names.keys(), (at) => names[at]!.source + names[at]!.output);
  const bySource = Map.groupBy(names.keys(), (at) => names[at]!.source);
  const shared = [...byKey.values(), ...bySource.values()].filter(({ length }) => length > 1);
  const versions = rankVersions(names, [...new Set(shared.flat())]);
  return {
    sources: names.map(({ source }) => source),
    keyRanks: rankTexts(keysOf(byKey, { versions, infos })),
    units: unitsOf(bySource, { versions, names }),
  };
}

export function sourceOf(path: string): string {
  return parseName(describePath(path)).source;
}

/** Of changes by itself, relative to other paths: by the name alone. */
export function priorRate(source: string): number {
  return VOLATILE.has(familyToken(source)) ? VOLATILE_RATE : 1;
}

/** What packages of one family share: `x` of `libX11-xcb`, `python` of `python3.11`; never empty. */
export function familyToken(source: string): string {
  const plain = source.toLowerCase().replace(/^lib/, '');
  if (VOLATILE.has(plain)) return plain;
  return /^[^-_.0-9+]+/.exec(plain)?.[0] ?? source;
}

/** 32 bits, well mixed. @see FNV-1a and the finaliser of MurmurHash3 */
export function hashText(text: string): number {
  let hash = 2_166_136_261;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 16_777_619);
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function parseName(name: string): ParsedName {
  const start = name.search(/-\d/);
  if (start === -1) return { source: name, output: '', version: '' };
  const version = name.slice(start + 1);
  const output = /-[a-z]+$/.exec(version)?.[0] ?? '';
  return { source: name.slice(0, start), output, version: version.slice(0, version.length - output.length) };
}

/** Of the names in `places`, 0 of the others. As people count: 9 comes before 10. */
function rankVersions(names: readonly ParsedName[], places: readonly number[]): Int32Array {
  const padded = (version: string): string =>
    version.replaceAll(/\d+/g, (digits) => digits.padStart(DIGITS, '0'));
  const texts = places.map((at) => `${padded(names[at]!.version)}\0${names[at]!.version}`);
  const ranks = new Int32Array(names.length);
  for (const [at, rank] of rankTexts(texts).entries()) ranks[places[at]!] = rank;
  return ranks;
}

function keysOf(
  byKey: ReadonlyMap<string, readonly number[]>,
  { versions, infos }: { readonly versions: Int32Array; readonly infos: readonly PathInfo[] },
): readonly string[] {
  const keys = infos.map(() => '');
  for (const [key, places] of byKey) {
    // Of equal names and versions only the hash is left, and the size, which more often stays.
    const sorted = places.toSorted(
      (a, b) => versions[a]! - versions[b]! || infos[b]!.narSize - infos[a]!.narSize || a - b,
    );
    for (const [k, at] of sorted.entries()) keys[at] = sorted.length === 1 ? key : `${key}#${k}`;
  }
  return keys;
}

function unitsOf(
  bySource: ReadonlyMap<string, readonly number[]>,
  { versions, names }: { readonly versions: Int32Array; readonly names: readonly ParsedName[] },
): readonly string[] {
  const units = names.map(() => '');
  for (const [source, places] of bySource) {
    const sorted = places.toSorted((a, b) => versions[a]! - versions[b]!);
    let k = 0;
    for (const [at, place] of sorted.entries()) {
      if (at > 0 && versions[place] !== versions[sorted[at - 1]!]) k++;
      const { version } = names[place]!;
      units[place] = version.length >= LONG_VERSION ? `=${version}` : `${source}#${k}`;
    }
  }
  return units;
}
