import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Digest } from '../../../src/digest.ts';
import { PhylloError } from '../../../src/errors.ts';
import type { CachedLayer, DigestCache } from '../../../src/layer/digest-cache.ts';
import type { Compression } from '../../../src/layer/encoder.ts';
import { encoderFor } from '../../../src/layer/encoder.ts';
import type { LayerKey } from '../../../src/layer/layer-key.ts';
import { parsePublicKey, parseSecretKey } from '../../../src/store/signing-key.ts';
import {
  type CacheEntryName,
  decodeEntry,
  encodeEntry,
  tagOf,
} from '../../../src/transport/shared-cache/cache-entry.ts';
import { type EntryStore, SharedCache } from '../../../src/transport/shared-cache/shared-cache.ts';

const digest = (letter: string): Digest => `sha256:${letter.repeat(64)}` as Digest;
const KEY: LayerKey = digest('1');
const NONE: Compression = { kind: 'none' };
const ZSTD = { kind: 'zstd', level: 3 } as const;
const ENCODER = encoderFor(ZSTD).id;
const LAYER: CachedLayer = { diffID: digest('2'), tarSize: 2 ** 40, blobs: {}, warnings: ['a conflict'] };
const COMPRESSED: CachedLayer = { ...LAYER, blobs: { [ENCODER]: { digest: digest('3'), size: 7 } } };
const NAME: CacheEntryName = { key: KEY, encoder: ENCODER };

function keyPair(name: string): { readonly secret: string; readonly shared: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const { x = '', d = '' } = privateKey.export({ format: 'jwk' });
  assert.equal(publicKey.export({ format: 'jwk' }).x, x);
  const [seed, point] = [Buffer.from(d, 'base64url'), Buffer.from(x, 'base64url')];
  return {
    secret: `${name}:${Buffer.concat([seed, point]).toString('base64')}`,
    shared: `${name}:${point.toString('base64')}`,
  };
}

function memory(): DigestCache & { readonly entries: Map<LayerKey, CachedLayer> } {
  const entries = new Map<LayerKey, CachedLayer>();
  return {
    entries,
    find: (key) => entries.get(key),
    add: (key, layer) => void entries.set(key, layer),
    close: () => undefined,
  };
}

function remote(): EntryStore & { readonly manifests: Map<string, Uint8Array> } {
  const manifests = new Map<string, Uint8Array>();
  return {
    manifests,
    read: async (name) => manifests.get(tagOf(name)),
    write: async (name, { bytes }) => void manifests.set(tagOf(name), bytes),
  };
}

test('an entry is read as it was written', () => {
  assert.deepEqual(decodeEntry(encodeEntry(NAME, COMPRESSED, undefined).bytes, NAME, undefined), COMPRESSED);
  const plain = { key: KEY, encoder: undefined };
  assert.deepEqual(decodeEntry(encodeEntry(plain, COMPRESSED, undefined).bytes, plain, undefined), LAYER);
});

test('an entry for another key or encoder is not believed', () => {
  const { bytes } = encodeEntry(NAME, COMPRESSED, undefined);
  assert.equal(decodeEntry(bytes, { ...NAME, key: digest('9') }, undefined), undefined);
  assert.equal(decodeEntry(bytes, { ...NAME, encoder: undefined }, undefined), undefined);
  assert.notEqual(tagOf(NAME), tagOf({ ...NAME, encoder: undefined }));
});

test('where keys are trusted, only what they signed is believed', () => {
  const [own, other] = [keyPair('own-1'), keyPair('own-1')];
  const trusted = [parsePublicKey(own.shared)];
  const signed = encodeEntry(NAME, COMPRESSED, parseSecretKey(own.secret)).bytes;
  assert.deepEqual(decodeEntry(signed, NAME, trusted), COMPRESSED);
  assert.equal(decodeEntry(encodeEntry(NAME, COMPRESSED, undefined).bytes, NAME, trusted), undefined);
  const foreign = encodeEntry(NAME, COMPRESSED, parseSecretKey(other.secret)).bytes;
  assert.equal(decodeEntry(foreign, NAME, trusted), undefined);
  const changed = Buffer.from(signed.toString().replace('3'.repeat(64), '4'.repeat(64)));
  assert.equal(decodeEntry(changed, NAME, trusted), undefined);
});

test('warnings that could steer a terminal are not believed', () => {
  const hostile = { ...COMPRESSED, warnings: ['\u001b[2J'] };
  assert.equal(decodeEntry(encodeEntry(NAME, hostile, undefined).bytes, NAME, undefined), undefined);
});

test('damage is never an error, and never another entry', () => {
  const { bytes } = encodeEntry(NAME, COMPRESSED, undefined);
  const secret = keyPair('k');
  const signed = encodeEntry(NAME, COMPRESSED, parseSecretKey(secret.secret)).bytes;
  const trusted = [parsePublicKey(secret.shared)];
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const damaged = Buffer.from(signed);
      damaged[at] = (damaged[at] as number) ^ change;
      const found = decodeEntry(damaged, NAME, trusted);
      if (found !== undefined) assert.deepEqual(found, COMPRESSED);
    }),
  );
  fc.assert(fc.property(fc.json(), (text) => decodeEntry(Buffer.from(text), NAME, undefined) === undefined));
});

test('what one machine made, another one knows', async () => {
  const entries = remote();
  const first = new SharedCache(memory(), { entries, writes: true });
  await first.learn([KEY], [ZSTD, NONE]);
  assert.equal(first.find(KEY), undefined);
  first.add(KEY, COMPRESSED);
  await first.publish();
  assert.deepEqual(first.use, { learnt: 0, published: 2, warnings: [] });

  const local = memory();
  const second = new SharedCache(local, { entries, writes: true });
  await second.learn([KEY], [ZSTD]);
  assert.deepEqual(second.find(KEY), COMPRESSED);
  await second.publish();
  assert.deepEqual(second.use, { learnt: 1, published: 0, warnings: [] });
  assert.equal(local.entries.size, 0, 'what others say is not written down as known');
});

test('what was known before there was a shared cache is published, too', async () => {
  const entries = remote();
  const local = memory();
  local.add(KEY, COMPRESSED);
  const cache = new SharedCache(local, { entries, writes: true });
  await cache.learn([KEY], [ZSTD]);
  await cache.publish();
  assert.equal(entries.manifests.size, 1);
});

test('this machine is believed before others, who are named', async () => {
  const entries = remote();
  await entries.write(NAME, encodeEntry(NAME, { ...COMPRESSED, diffID: digest('8') }, undefined));
  const local = memory();
  local.add(KEY, COMPRESSED);
  const cache = new SharedCache(local, { entries, writes: true });
  await cache.learn([KEY], [ZSTD]);
  assert.deepEqual(cache.find(KEY), COMPRESSED);
  assert.equal(cache.use.warnings.length, 1);
});

test('a registry that fails is asked no more, and the build goes on', async () => {
  let asked = 0;
  const fail = (): Promise<never> => {
    asked += 1;
    return Promise.reject(new PhylloError('NETWORK_FAILED', 'nobody answers'));
  };
  const cache = new SharedCache(memory(), { entries: { read: fail, write: fail }, writes: true });
  await cache.learn(
    Array.from({ length: 100 }, (_, i) => `sha256:${String(i).padStart(64, '0')}` as Digest),
    [NONE],
  );
  assert.ok(asked < 20, `${asked} requests`);
  await cache.publish();
  assert.equal(cache.use.warnings.length, 1);
});
