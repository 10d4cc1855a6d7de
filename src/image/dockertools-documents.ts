/**
 * The documents of an archive as nixpkgs' streamer writes them, byte for byte: for images whose ID must stay what it was. Pure.
 *
 * @see nixpkgs, pkgs/build-support/docker/stream_layered_image.py
 */
import { createHash } from 'node:crypto';
import { type Digest, digestHex, finishDigest } from '../digest.ts';
import { PhylloError, reasonOf } from '../errors.ts';
import { mergeEnv } from './base-image.ts';
import type { Blob } from './blob.ts';
import {
  type OrderedJson,
  orderedList,
  orderedObject,
  parseOrderedJson,
  printLikePython,
} from './ordered-json.ts';

export interface DockerToolsConfig {
  /** As Python's `isoformat` prints it: python-date.ts. */
  readonly created: string;
  readonly architecture: string;
  readonly os: string;
  readonly config: OrderedJson;
  /** Bottom to top. */
  readonly layers: readonly DockerToolsHistory[];
}

export interface DockerToolsHistory {
  readonly diffID: Digest;
  /** What the history names: store paths, or a base layer's path in its archive. */
  readonly paths: readonly string[];
}

/** The config, whose digest is the image ID. */
export function encodeDockerToolsConfig({
  created,
  architecture,
  os,
  config,
  layers,
}: DockerToolsConfig): Blob {
  const diffIDs = layers.map(({ diffID }) => diffID);
  const history = layers.map(({ paths }) =>
    orderedObject([
      ['created', created],
      ['comment', `store paths: ${listLikePython(paths)}`],
    ]),
  );
  return blobOf(
    orderedObject([
      ['created', created],
      ['architecture', architecture],
      ['os', os],
      ['config', config],
      [
        'rootfs',
        orderedObject([
          ['diff_ids', orderedList(diffIDs)],
          ['type', 'layers'],
        ]),
      ],
      ['history', orderedList(history)],
    ]),
  );
}

export interface DockerToolsManifest {
  readonly config: Digest;
  /** `NAME:TAG`, whatever it is. */
  readonly repoTag: string;
  /** Paths in the archive, bottom to top. */
  readonly layerPaths: readonly string[];
}

/** `manifest.json`. */
export function encodeDockerToolsManifest({ config, repoTag, layerPaths }: DockerToolsManifest): Blob {
  return blobOf(
    orderedList([
      orderedObject([
        ['Config', `${digestHex(config)}.json`],
        ['RepoTags', orderedList([repoTag])],
        ['Layers', orderedList(layerPaths)],
      ]),
    ]),
  );
}

/**
 * The image's own config with the variables of its base. Where the reference raises an error over a null (of either config or
 * either `Env`), it counts as nothing.
 * @param baseEnv of the base's config; empty when it has none
 * @throws PhylloError IMAGE_INVALID
 */
export function inheritOrderedEnv(own: OrderedJson, baseEnv: readonly string[]): OrderedJson {
  const fields = fieldsOf(own);
  const env = mergeEnv(baseEnv, textsOf(fields.get('Env') ?? null));
  if (env.length === 0) return own ?? orderedObject([]);
  return orderedObject([...fields, ['Env', orderedList(env)]]);
}

/**
 * `config` from its text, keys in their order and numbers digit by digit.
 * @throws PhylloError IMAGE_INVALID
 */
export function parseDockerToolsConfig(text: string): OrderedJson {
  try {
    const config = parseOrderedJson(text);
    fieldsOf(config);
    return config;
  } catch (cause) {
    if (cause instanceof PhylloError) throw cause;
    throw new PhylloError('IMAGE_INVALID', `config is ${reasonOf(cause)}`, { cause });
  }
}

function fieldsOf(config: OrderedJson): ReadonlyMap<string, OrderedJson> {
  if (config === null) return new Map();
  if (typeof config === 'object' && config.kind === 'object') return config.fields;
  throw new PhylloError('IMAGE_INVALID', 'config is not an object');
}

function textsOf(env: OrderedJson): readonly string[] {
  if (env === null) return [];
  const items = typeof env === 'object' && env.kind === 'list' ? env.items : [env];
  if (typeof env === 'object' && items.every((item) => typeof item === 'string')) return items;
  throw new PhylloError('IMAGE_INVALID', 'config.Env is not a list of texts');
}

function blobOf(document: OrderedJson): Blob {
  const bytes = Buffer.from(printLikePython(document));
  return { digest: finishDigest(createHash('sha256').update(bytes)), bytes };
}

/** As `repr` prints a list of texts. */
function listLikePython(texts: readonly string[]): string {
  return `[${texts.map(reprLikePython).join(', ')}]`;
}

const REPR_ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

function reprLikePython(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text.replaceAll(/[\\\x00-\x1f\x7f-\xa0\xad]/g, escapeLikePython);
  return quote + (quote === "'" ? escaped.replaceAll("'", String.raw`\'`) : escaped) + quote;
}

function escapeLikePython(character: string): string {
  const code = character.charCodeAt(0).toString(16).padStart(2, '0');
  return REPR_ESCAPES[character] ?? `\\x${code}`;
}
