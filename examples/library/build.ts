/** Builds the example image through the library: `node build.ts ARCHIVE`. */
import { readFileSync } from 'node:fs';
import {
  buildImage,
  dayOf,
  fieldInFile,
  openDigestCache,
  openStore,
  parseImageDescription,
  parseJson,
  resolveSettings,
} from 'phyllo';

const hello = new URL('../hello/', import.meta.url);
const origin = 'image.json';
const description = parseImageDescription(parseJson(readFileSync(new URL(origin, hello), 'utf8')), {
  origin,
  nameOf: fieldInFile,
});
const settings = resolveSettings(description, { now: new Date(), architecture: 'amd64' });

const store = await openStore({ store: new URL('cache', hello).href });
const cache = openDigestCache('digests.sqlite', dayOf(Date.now()));
try {
  const { imageID, layers, made } = await buildImage(settings, {
    store,
    cache,
    jobs: 2,
    targets: () => [
      {
        kind: 'file',
        file: process.argv[2] ?? 'hello.tar',
        reference: { name: 'hello', tag: '1.0' },
        compression: { kind: 'none' },
      },
    ],
  });
  console.log(`${imageID}: ${layers.length} layers, ${made} made`);
} finally {
  cache.close();
  store.close();
}
