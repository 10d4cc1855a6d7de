import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { reportImage } from '../src/report-image.ts';
import { temporaryDirectory } from './support/temporary.ts';
import { digestOf, dockerFiles, makeTar, tarOf } from './transport/support/archives.ts';

const A = `/nix/store/${'a'.repeat(32)}-a-1`;
const TAR = makeTar([
  { name: `${A.slice(1)}/file`, content: 'x'.repeat(600) },
  { name: 'etc/passwd', content: 'root' },
]);
const OTHER = makeTar([{ name: 'etc/hosts', content: 'localhost' }]);

function archive(context: TestContext, history: readonly object[] | undefined): string {
  const file = join(temporaryDirectory(context), 'image.tar');
  const layers = [gzipSync(TAR), OTHER];
  const diffIDs = [TAR, OTHER].map(digestOf);
  const config = history === undefined ? {} : { history };
  writeFileSync(file, tarOf(dockerFiles([{ name: 'a:1', layers, diffIDs, config }])));
  return file;
}

test('store paths are found where the history does not tell of them', async (context) => {
  const report = await reportImage(archive(context, undefined));
  assert.deepEqual(
    report.paths.map(({ name, size, layer }) => [name, size, layer]),
    [[A.slice(11), 512 + 1024, 0]],
  );
  assert.deepEqual([report.title, report.pathMeasure, report.hasReferences], ['a:1', 'tar', false]);
  assert.deepEqual(
    report.layers.map(({ area }) => area),
    [TAR.length, OTHER.length],
  );
});

test('where the history tells of store paths, it is believed', async (context) => {
  const history = [{ comment: `store paths: ['${A}']` }, { comment: 'customisation layer' }];
  const report = await reportImage(archive(context, history));
  assert.deepEqual(
    report.layers.map(({ kind, area, paths }) => [kind, area, paths]),
    [
      ['store', 512 + 1024, [0]],
      ['customisation', OTHER.length, []],
    ],
  );
});

test('an image compared with itself is kept', async (context) => {
  const file = archive(context, [{ comment: `store paths: ['${A}']` }, {}]);
  const report = await reportImage(file, { previous: file });
  assert.deepEqual([report.update?.cost.pull, report.paths[0]!.state], [0, 'kept']);
});

test('a store that was asked for must know the paths', async (context) => {
  const file = archive(context, [{ comment: `store paths: ['${A}']` }, {}]);
  const graph = join(temporaryDirectory(context), 'graph.json');
  writeFileSync(graph, '[]');
  await assert.rejects(reportImage(file, { graph }), { code: 'STORE_PATH_UNKNOWN' });
});
