import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { makeReport } from '../../src/report/make-report.ts';
import { renderReport } from '../../src/report/render-report.ts';
import { sampleReport } from '../support/report-samples.ts';

const ASSETS = { script: 'start();', style: 'p { color: red }' };
const DATA = makeReport(sampleReport({ paths: 20, layers: 4 }));
const HOSTILE = `</script><script>alert("1")</script><!-- '&\u2028`;

test('the same data gives the same bytes', () => {
  const again = makeReport(sampleReport({ paths: 20, layers: 4 }));
  assert.equal(renderReport(again, ASSETS), renderReport(DATA, ASSETS));
});

test('the page allows its own program and style by their hashes, and nothing else', () => {
  const page = renderReport(DATA, ASSETS);
  const [, policy = ''] = /Content-Security-Policy" content="([^"]*)"/.exec(page) ?? [];
  const directives = policy.replaceAll('&#39;', "'").split('; ');
  const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  assert.deepEqual(directives, [
    "default-src 'none'",
    `script-src ${hash(ASSETS.script)}`,
    `style-src ${hash(ASSETS.style)}`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ]);
  assert.ok(
    page.includes(`<script>${ASSETS.script}</script>`) && page.includes(`<style>${ASSETS.style}</style>`),
  );
});

test('names are text, wherever they stand', () => {
  const layers = DATA.layers.map((layer) => ({ ...layer, label: HOSTILE }));
  const paths = DATA.paths.map((path) => ({ ...path, name: HOSTILE }));
  const facts = [{ name: HOSTILE, value: HOSTILE }];
  const update = { ...DATA.update!, from: HOSTILE };
  const page = renderReport({ ...DATA, title: HOSTILE, facts, layers, paths, update }, ASSETS);
  assert.equal(page.match(/<script/g)?.length, 2);
  assert.ok(!page.includes('<!--') && !page.includes('alert("1")'));
  const [, json = ''] = /id="report-data">(.*)<\/script>/.exec(page) ?? [];
  const read = JSON.parse(json) as typeof DATA;
  assert.equal(read.layers[0]!.label, HOSTILE);
});

test('nothing in the page leads out of it', () => {
  const outside = renderReport(DATA, ASSETS).match(/(?:src|href|action|url\()=?"?(?!data:)[a-z]+:/g);
  assert.equal(outside, null);
});
