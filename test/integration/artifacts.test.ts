/** Artifacts that are attached to images, in the real registry, which does not list them itself. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { blobOf, type Descriptor } from '../../src/image/blob.ts';
import { pushArtifact } from '../../src/transport/registry/push-artifact.ts';
import { listReferrers } from '../../src/transport/registry/referrers.ts';
import { Registries } from '../../src/transport/registry/registries.ts';
import type { Digest } from '../../src/digest.ts';
import { HELLO, phylloChecked } from './support/phyllo.ts';
import { runChecked } from './support/process.ts';
import { type Registry, startRegistry } from './support/registry.ts';
import { describeWith } from './support/requirements.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const repository = 'team/hello';
const directory = temporaryDirectory();

describeWith(['registry', 'skopeo'], 'artifacts', () => {
  let registry: Registry;
  let subject: Descriptor;

  before(async () => {
    registry = await startRegistry(directory);
    const args = ['build', join(HELLO, 'image.json'), '--to', `docker://${registry.host}/${repository}:1`];
    const digest = (await phylloChecked(args)).trim() as Digest;
    const manifest = await raw(`@${digest}`);
    subject = { mediaType: manifest['mediaType'] as string, digest, size: JSON.stringify(manifest).length };
  });
  after(() => registry.stop());

  const raw = async (reference: string): Promise<Record<string, unknown>> =>
    JSON.parse(
      await runChecked('skopeo', [
        'inspect',
        '--raw',
        '--tls-verify=false',
        `docker://${registry.host}/${repository}${reference}`,
      ]),
    ) as Record<string, unknown>;
  const attach = async (registries: Registries, text: string): Promise<Descriptor> =>
    await pushArtifact(registries.client(registry.host), {
      repository,
      artifactType: 'application/vnd.test.note',
      blobs: [{ mediaType: 'text/plain', ...blobOf(Buffer.from(text)) }],
      subject,
      annotations: { text },
    });

  it('are listed with the image, however many are attached at once and again', async () => {
    await using registries = new Registries();
    const texts = ['one', 'two', 'three'];
    const attached = await Promise.all(texts.map((text) => attach(registries, text)));
    await attach(registries, 'two');
    const query = { repository, digest: subject.digest };
    const listed = await listReferrers(registries.client(registry.host), query);
    assert.deepEqual(new Set(listed), new Set(attached));
    const index = await raw(`:${subject.digest.replace(':', '-')}`);
    assert.equal(index['mediaType'], 'application/vnd.oci.image.index.v1+json');
    const manifest = await raw(`@${attached[0]?.digest}`);
    assert.deepEqual(manifest['subject'], subject);
  });

  it('are shown by inspect', async () => {
    const image = `docker://${registry.host}/${repository}:1`;
    const { referrers } = JSON.parse(await phylloChecked(['inspect', '--json', image])) as {
      readonly referrers: readonly (Descriptor & { readonly subject: string })[];
    };
    assert.deepEqual(referrers.map(({ annotations }) => annotations?.['text']).sort(), [
      'one',
      'three',
      'two',
    ]);
    assert.ok(referrers.every((referrer) => referrer.subject === subject.digest));
    assert.match(await phylloChecked(['inspect', image]), /^attached +application\/vnd\.test\.note sha256:/m);
  });
});
