/** Whole archives, byte for byte as nixpkgs' streamer writes them. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, createReadStream, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { Digest } from '../../src/digest.ts';
import { parseDockerToolsConf } from '../../src/image/dockertools-conf.ts';
import { inheritOrderedEnv } from '../../src/image/dockertools-documents.ts';
import { isJsonObject } from '../../src/image/json.ts';
import { FileSink, writeFully } from '../../src/layer/chunk-sink.ts';
import { type LayerSource, layerTarSize } from '../../src/layer/layer-source.ts';
import { writeLayer } from '../../src/layer/write-layer.ts';
import {
  dockerToolsLayerHeader,
  type DockerToolsImage,
  encodeDockerToolsDocuments,
  layoutDockerTools,
  streamDockerTools,
} from '../../src/transport/dockertools-archive.ts';
import { openImage } from '../../src/transport/image-source.ts';
import { readLayer, type SourceImage } from '../../src/transport/source-image.ts';
import { readTar } from '../../src/transport/tar-reader.ts';
import { type WholeArchiveCase, wholeArchiveCases } from '../support/golden.ts';
import { latin1, scanPaths } from '../support/scanned.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { customisationSource } from '../support/vector-customisation.ts';
import { makeStorePaths } from '../support/vector-tree.ts';

const CASES = wholeArchiveCases();
/** Errors that are accidents of the reference: nothing is wrong with the input. */
const ACCIDENTS: Readonly<Record<string, string>> = {
  'on-config-null': '"config": {}',
  'null-on-base': '"config": {\n        "Env": [\n            "PATH=/usr/bin"',
  'on-env-null': '"config": {}',
};

for (const vector of CASES) {
  const { name, note, expected } = vector;
  if (expected.error === true) continue;
  test(`archive of nixpkgs' streamer: ${name} (${note})`, async (context) => {
    const directory = temporaryDirectory(context);
    const { archive, documents } = await makeArchive(vector, directory);
    assert.equal(documents.config.bytes.toString(), expected.config);
    assert.equal(documents.manifest.bytes.toString(), expected.manifest);
    assert.equal(documents.config.digest, expected.configDigest);
    assert.deepEqual(memberNames(archive), expected.members);
    assert.deepEqual(await measure(createReadStream(archive)), expected.archive);
  });
}

for (const [name, config] of Object.entries(ACCIDENTS)) {
  test(`where the reference raises an error over a null, it counts as nothing: ${name}`, async (context) => {
    const directory = temporaryDirectory(context);
    const { documents } = await makeArchive(caseNamed(name), directory);
    assert.ok(documents.config.bytes.toString().includes(config), documents.config.bytes.toString());
  });
}

test('a store path outside of the store is refused', async (context) => {
  const directory = temporaryDirectory(context);
  await assert.rejects(makeArchive(caseNamed('bad-store-dir'), directory), { code: 'STORE_PATH_INVALID' });
});

interface Made {
  readonly archive: string;
  readonly documents: ReturnType<typeof encodeDockerToolsDocuments>;
}

/** As a file and as a stream, which must be the same. */
async function makeArchive(vector: WholeArchiveCase, directory: string): Promise<Made> {
  const base = await openBase(vector, directory);
  try {
    const root = join(directory, vector.name);
    makeStorePaths(root, vector.storePaths);
    const sources = await describe(vector, { base, root });
    const archive = join(directory, `${vector.name}.tar`);
    const made = await writeArchive(sources, archive);
    const { content } = sources;
    const streamed = await measure(
      streamDockerTools(sources.image, { ...made, content: (i) => content(i, archive) }),
    );
    assert.deepEqual(streamed, await measure(createReadStream(archive)));
    return { archive, documents: made.documents };
  } finally {
    base?.close();
  }
}

interface Sources {
  readonly image: DockerToolsImage;
  /** Makes a layer, or copies the base's. */
  readonly write: (index: number, sink: FileSink) => Promise<void>;
  /** A layer's bytes, once it is in the file. */
  readonly content: (index: number, archive: string) => AsyncIterable<Uint8Array>;
}

async function describe(
  { conf: text, arguments: [, repoTag], fromImage, customisation }: WholeArchiveCase,
  { base, root }: { readonly base: SourceImage | undefined; readonly root: string },
): Promise<Sources> {
  const conf = parseDockerToolsConf(text, { now: '2000-01-01T00:00:00Z' });
  assert.equal(conf.fromImage !== undefined, fromImage !== null);
  const ownership = { ...conf, uname: latin1(conf.uname), gname: latin1(conf.gname) };
  const own: LayerSource[] = [];
  for (const layer of conf.storeLayers)
    own.push({ kind: 'store', paths: await scanPaths(layer, { root, ownership }), ownership });
  own.push(customisationSource(customisation, root));
  const { archiveEntry } = customisation;
  const entry = { ...archiveEntry, mode: Number.parseInt(archiveEntry.mode, 8) };
  const image: DockerToolsImage = {
    ...conf,
    created: conf.created.text,
    config: base === undefined ? conf.config : inheritOrderedEnv(conf.config, envOf(base)),
    repoTag: repoTag ?? conf.repoTag,
    layers: [
      ...(base?.layers ?? []).map((layer) => ({ kind: 'base', layer }) as const),
      ...own.map((source, i) => {
        const paths = conf.storeLayers[i] ?? [conf.customisationLayer];
        const isCustomisation = source.kind === 'customisation';
        return {
          kind: 'own',
          size: layerTarSize(source),
          paths,
          ...(isCustomisation ? { entry } : {}),
        } as const;
      }),
    ],
  };
  const baseLayers = base?.layers ?? [];
  return {
    image,
    async write(index, sink) {
      const layer = baseLayers[index];
      if (layer === undefined) await writeLayer(own[index - baseLayers.length] as LayerSource, sink);
      else await pour(readLayer(layer), sink);
    },
    content(index, archive) {
      const start = layoutDockerTools(image).contents[index] as number;
      const sizes = [...baseLayers.map(({ descriptor }) => descriptor.size), ...own.map(layerTarSize)];
      return createReadStream(archive, { start, end: start + (sizes[index] as number) - 1 });
    },
  };
}

async function writeArchive(
  { image, write }: Sources,
  file: string,
): Promise<{ readonly diffIDs: readonly Digest[]; readonly documents: Made['documents'] }> {
  const fd = openSync(file, 'w+');
  try {
    const { headers, contents, documents: end } = layoutDockerTools(image);
    const diffIDs: Digest[] = [];
    // From the top down: each layer's place is known before the others are there.
    for (const [index, offset] of [...contents.entries()].reverse()) {
      const sink = new FileSink([{ file, fd, offset }]);
      await write(index, sink);
      diffIDs[index] = sink.digest();
      const header = dockerToolsLayerHeader(image, { index, diffID: diffIDs[index] });
      writeFully({ file, fd }, header, headers[index] as number);
    }
    const documents = encodeDockerToolsDocuments(image, diffIDs);
    writeFully({ file, fd }, documents.bytes, end);
    return { diffIDs, documents };
  } finally {
    closeSync(fd);
  }
}

async function pour(chunks: AsyncIterable<Uint8Array>, sink: FileSink): Promise<void> {
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + sink.buffer.length);
      sink.buffer.set(part);
      sink.commit(part.length);
      at += part.length;
    }
  }
}

async function openBase(
  { fromImage, name }: WholeArchiveCase,
  directory: string,
): Promise<SourceImage | undefined> {
  if (fromImage === null) return undefined;
  const file = join(directory, `base-of-${name}.tar`);
  if ('gzipBase64' in fromImage) {
    writeFileSync(file, gunzipSync(Buffer.from(fromImage.gzipBase64, 'base64')));
  } else {
    const { archive } = await makeArchive(caseNamed(fromImage.case), directory);
    const compressed = fromImage.compression === undefined ? 'cat' : fromImage.compression;
    writeFileSync(file, execFileSync(compressed, compressed === 'cat' ? [archive] : ['-c', archive]));
  }
  return await openImage(`docker-archive:${file}`);
}

function envOf({ config }: SourceImage): readonly string[] {
  const { config: inner } = config.document;
  return isJsonObject(inner) && Array.isArray(inner['Env']) ? (inner['Env'] as string[]) : [];
}

function caseNamed(name: string): WholeArchiveCase {
  return CASES.find((vector) => vector.name === name) as WholeArchiveCase;
}

function memberNames(file: string): readonly string[] {
  const fd = openSync(file, 'r');
  try {
    const size = readFileSync(file).length;
    return [...readTar({ file, fd, offset: 0, size })].map(({ header }) => header.name);
  } finally {
    closeSync(fd);
  }
}

async function measure(chunks: AsyncIterable<Uint8Array>): Promise<{ size: number; sha256: string }> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of chunks) {
    hash.update(chunk);
    size += chunk.length;
  }
  return { size, sha256: hash.digest('hex') };
}
