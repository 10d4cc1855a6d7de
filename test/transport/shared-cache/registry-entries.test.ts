/** Entries in a real registry. */
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import type { Digest } from '../../../src/digest.ts';
import { Registries } from '../../../src/transport/registry/registries.ts';
import { encodeEntry } from '../../../src/transport/shared-cache/cache-entry.ts';
import { RegistryEntries } from '../../../src/transport/shared-cache/registry-entries.ts';
import { type Registry, startRegistry } from '../../integration/support/registry.ts';
import { describeWith } from '../../integration/support/requirements.ts';
import { temporaryDirectory } from '../../integration/support/temporary-directory.ts';

describeWith(['registry'], 'entries of a shared cache in a registry', () => {
  let registry: Registry;
  before(async () => {
    registry = await startRegistry(temporaryDirectory());
  });
  after(() => registry.stop());

  it('are read as they were written, by whoever asks', async () => {
    const digest = `sha256:${'5'.repeat(64)}` as Digest;
    const names = ['6', '7'].map((letter) => ({
      key: `sha256:${letter.repeat(64)}` as Digest,
      encoder: undefined,
    }));
    const entry = encodeEntry(names[0]!, { diffID: digest, tarSize: 1, blobs: {}, warnings: [] }, undefined);
    for (const expected of [undefined, entry.bytes]) {
      await using registries = new Registries();
      const entries = new RegistryEntries({
        client: registries.client(registry.host),
        repository: 'a/cache',
      });
      const [found, other] = await Promise.all(names.map((name) => entries.read(name)));
      assert.deepEqual(found, expected);
      assert.equal(other, undefined);
      await entries.write(names[0]!, entry);
      await entries.write(names[0]!, entry);
    }
  });
});
