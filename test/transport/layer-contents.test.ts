import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { openImage } from '../../src/transport/image-source.ts';
import { type LayerContents, readLayerContents } from '../../src/transport/layer-contents.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { digestOf, dockerFiles, makeTar, tarOf, type TestMember } from './support/archives.ts';

const A = `nix/store/${'a'.repeat(32)}-a-1`;
const B = `nix/store/${'b'.repeat(32)}-b`;
const MEMBERS: readonly TestMember[] = [
  { name: 'nix/' },
  { name: 'nix/store/' },
  { name: `./${A}/` },
  { name: `./${A}/file`, content: 'x'.repeat(600) },
  { name: `/${B}`, content: 'y' },
  { name: 'etc/passwd', content: 'root' },
  { name: `${A}/link`, linkName: 'file' },
  { name: 'nix/store/.links/no-path', content: 'z' },
];

async function contentsOf(
  context: TestContext,
  {
    stored,
    tar,
    storeDir = '/nix/store',
  }: { readonly stored: Buffer; readonly tar: Buffer; readonly storeDir?: string },
): Promise<LayerContents> {
  const file = join(temporaryDirectory(context), 'image.tar');
  writeFileSync(file, tarOf(dockerFiles([{ name: 'a:1', layers: [stored], diffIDs: [digestOf(tar)] }])));
  const image = await openImage(file);
  try {
    return await readLayerContents(image.layers[0]!, { storeDir });
  } finally {
    image.close();
  }
}

for (const [name, compress] of [
  ['plain', (tar: Buffer) => tar],
  ['gzip', (tar: Buffer) => gzipSync(tar)],
  ['zstd', (tar: Buffer) => zstdCompressSync(tar)],
] as const)
  test(`the store paths of a layer, headers included: ${name}`, async (context) => {
    const tar = makeTar(MEMBERS);
    const { tarSize, pathSizes } = await contentsOf(context, { stored: compress(tar), tar });
    assert.equal(tarSize, tar.length);
    assert.deepEqual(
      [...pathSizes],
      [
        [`/${A}`, 512 + 512 + 1024 + 512],
        [`/${B}`, 512 + 512],
      ],
    );
  });

test('other store directories are other paths', async (context) => {
  const tar = makeTar(MEMBERS);
  const { pathSizes } = await contentsOf(context, { stored: tar, tar, storeDir: '/my/store' });
  assert.equal(pathSizes.size, 0);
});

test('a compressed layer that is not what its image says is refused', async (context) => {
  const stored = gzipSync(makeTar(MEMBERS));
  await assert.rejects(contentsOf(context, { stored, tar: Buffer.from('other') }), {
    code: 'ARCHIVE_INVALID',
  });
});
