import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Digest } from '../../src/digest.ts';
import { annotateLayers, STORE_PATHS } from '../../src/image/layer-annotations.ts';

const layer = { mediaType: 'x', digest: `sha256:${'0'.repeat(64)}` as Digest, size: 1 };

test('layers tell their store paths, and keep other annotations', () => {
  const other = { ...layer, annotations: { a: '1' } };
  assert.deepEqual(
    annotateLayers([layer, other, layer], [['/nix/store/a', '/nix/store/b'], ['/nix/store/c'], []]),
    [
      { ...layer, annotations: { [STORE_PATHS]: '/nix/store/a /nix/store/b' } },
      { ...layer, annotations: { a: '1', [STORE_PATHS]: '/nix/store/c' } },
      layer,
    ],
  );
});

test('manifests stay below what registries take: with too many paths no layer tells', () => {
  const paths = Array.from({ length: 10_000 }, (_, i) => `/nix/store/${'a'.repeat(100)}${i}`);
  const layers = [layer, layer];
  assert.deepEqual(annotateLayers(layers, [paths, ['/nix/store/b']]), layers);
});
