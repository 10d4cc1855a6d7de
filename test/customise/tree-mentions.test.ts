import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readTree } from '../../src/customise/private-tree.ts';
import { findTreeMentions } from '../../src/customise/tree-mentions.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const options = { storeDir: '/nix/store', signal: undefined };
const hash = (digit: string): string => digit.repeat(32);
const CHUNK = 1024 * 1024;

test('mentions are found in contents, also across chunks, and are hash parts only', async (context) => {
  const tree = temporaryDirectory(context);
  const parts = Array.from({ length: 90 }, (_, i) => {
    const text = `/nix/store/${hash(i % 2 === 0 ? '1' : '2')}-name`;
    return `${'x'.repeat(CHUNK / 2 - text.length - i)}${text}${'y'.repeat(i)}`;
  });
  writeFileSync(join(tree, 'large'), `${'z'.repeat(20)}${parts.slice(0, 8).join('')}`);
  writeFileSync(join(tree, 'a'), `/nix/store/${hash('3')}/none /nix/store/${hash('e')}-none`);
  writeFileSync(join(tree, 'b'), Buffer.from(`\0\xff/nix/store//nix/store/${hash('4')}-x`, 'latin1'));
  const { hashParts } = await findTreeMentions(
    readTree(tree, () => undefined),
    options,
  );
  assert.deepEqual([...hashParts].sort(), [hash('1'), hash('2'), hash('4')]);
});

test('a mention at every place around the end of a chunk is found', async (context) => {
  const tree = temporaryDirectory(context);
  for (let shift = 0; shift < 50; shift += 7) {
    const text = `${'x'.repeat(CHUNK - shift)}/nix/store/${hash('5')}-n`;
    writeFileSync(join(tree, `file${shift}`), text);
    const members = readTree(tree, () => undefined).filter(({ name }) => name === `./file${shift}`);
    assert.deepEqual([...(await findTreeMentions(members, options)).hashParts], [hash('5')], String(shift));
  }
});

test('the fingerprint follows contents, modes and owners', async (context) => {
  const tree = temporaryDirectory(context);
  writeFileSync(join(tree, 'file'), 'text');
  const of = async (uid: number): Promise<string> => {
    const members = readTree(tree, () => ({ mode: 0o755, uid, gid: 0 }));
    return (await findTreeMentions(members, options)).fingerprint;
  };
  const first = await of(0);
  assert.equal(await of(0), first);
  assert.notEqual(await of(1), first);
  writeFileSync(join(tree, 'file'), 'next');
  assert.notEqual(await of(0), first);
});
