import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { finishDigest } from '../../src/digest.ts';
import { visitNar } from '../../src/store/nar-tree.ts';
import { NarsAhead } from '../../src/store/nars-ahead.ts';
import type { NarKeep, NarSource } from '../../src/store/tree.ts';
import { type CacheServerOptions, serveCache, sendFile } from '../support/cache-server.ts';
import { patterned } from '../support/patterned.ts';
import { failsWith } from './support/errors.ts';
import { EventLog } from './support/events.ts';
import { directory as directoryNode, file, writeNar } from './support/nar-writer.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const directory = temporaryDirectory();
const CONTENTS = patterned(3_000_000);
const NAR = writeNar(directoryNode(['large', file(CONTENTS)], ['small', file('x')]));
const HTTP = { retries: 2, backoffMs: 1 };
let caches = 0;

interface Served {
  readonly source: NarSource;
  readonly server: Awaited<ReturnType<typeof serveCache>>;
}

async function serve(
  answer?: CacheServerOptions['answer'],
  { stored = NAR, keep }: { readonly stored?: Uint8Array; readonly keep?: NarKeep } = {},
): Promise<Served> {
  caches += 1;
  const place = join(directory, String(caches));
  mkdirSync(join(place, 'nar'), { recursive: true });
  writeFileSync(join(place, 'nar', 'x.nar'), stored);
  const server = await serveCache(place, answer === undefined ? {} : { answer });
  const url = `${server.url}/nar/x.nar`;
  const remote = { url, headers: {}, http: HTTP, ...(keep === undefined ? {} : { keep }) };
  const fileSize = stored.length;
  const source = {
    kind: 'nar',
    location: url,
    compression: 'none',
    ...hashes(NAR),
    fileSize,
    remote,
  } as const;
  return { source, server };
}

function hashes(bytes: Uint8Array): Pick<NarSource, 'narHash' | 'narSize'> {
  return { narHash: finishDigest(createHash('sha256').update(bytes)), narSize: bytes.length };
}

async function contentsOf(source: NarSource): Promise<readonly (string | undefined)[]> {
  const log = new EventLog();
  await visitNar(source, log);
  return log.told.map(({ contents }) => contents);
}

const EXPECTED = ['', CONTENTS.toString('latin1'), 'x'];

function newKeep(bytes: bigint): NarKeep {
  caches += 1;
  const budget = new BigInt64Array(new SharedArrayBuffer(8));
  budget[0] = bytes;
  return { file: join(directory, `kept-${caches}`), budget };
}

/** Cuts the first answers short. */
function cutting(times: number): NonNullable<CacheServerOptions['answer']> {
  let cut = 0;
  return ({ headers }, response) => {
    cut += 1;
    if (cut > times) return false;
    const start = Number(/(\d+)-/.exec(headers.range ?? '')?.[1] ?? 0);
    response.writeHead(start === 0 ? 200 : 206, {
      'content-length': NAR.length - start,
      etag: '"same"',
      ...(start === 0 ? {} : { 'content-range': `bytes ${start}-${NAR.length - 1}/${NAR.length}` }),
    });
    response.write(NAR.subarray(start, start + 700_000), () => setTimeout(() => response.destroy(), 20));
    return true;
  };
}

test('a download that breaks is taken up where it broke', async () => {
  const { source, server } = await serve(cutting(3));
  assert.deepEqual((await contentsOf(source)).slice(1), EXPECTED.slice(1));
  const ranges = server.requests.map(({ headers }) => headers.range);
  assert.equal(ranges.length, 4);
  assert.equal(ranges[0], undefined);
  for (const range of ranges.slice(1)) assert.match(range ?? '', /^bytes=[1-9]\d*-$/);
  assert.equal(server.requests[1]?.headers['if-range'], '"same"');
});

test('an answer that ends before its first byte is asked for again', async () => {
  let asked = 0;
  const { source, server } = await serve((_request, response) => {
    asked += 1;
    if (asked > 2) return false;
    response.writeHead(200, { 'content-length': NAR.length }).flushHeaders();
    setTimeout(() => response.destroy(), 20);
    return true;
  });
  assert.deepEqual((await contentsOf(source)).slice(1), EXPECTED.slice(1));
  assert.deepEqual(
    server.requests.map(({ headers }) => headers.range),
    [undefined, undefined, undefined],
  );
});

test('a download that breaks again and again is given up', async () => {
  const { source } = await serve((_request, response) => {
    response.writeHead(200, { 'content-length': NAR.length });
    response.write(NAR.subarray(0, 1000), () => setTimeout(() => response.destroy(), 5));
    return true;
  });
  await assert.rejects(contentsOf(source), failsWith('NETWORK_FAILED'));
});

test('what a range should be and is not does not get through', async () => {
  let asked = 0;
  const first = cutting(1);
  const { source } = await serve((request, response, place) => {
    asked += 1;
    if (asked === 1) return first(request, response, place);
    response.writeHead(206, { 'content-range': `bytes 5-${NAR.length - 1}/${NAR.length}` });
    response.end(NAR.subarray(17));
    return true;
  });
  await assert.rejects(contentsOf(source), (error: { code?: string }) => /^NAR_/.test(error.code ?? ''));
});

test('a NAR that is kept is fetched once, and one that does not fit is not kept', async () => {
  for (const [bytes, requests] of [
    [10_000_000n, 1],
    [1_000_000n, 2],
  ] as const) {
    const keep = newKeep(bytes);
    const { source, server } = await serve(undefined, { keep });
    for (let time = 0; time < 2; time += 1)
      assert.deepEqual((await contentsOf(source)).slice(1), EXPECTED.slice(1));
    assert.equal(server.requests.length, requests);
    assert.equal(existsSync(keep.file), requests === 1);
    assert.equal(keep.budget[0], requests === 1 ? bytes - BigInt(NAR.length) : bytes);
    const left = readdirSync(directory).filter((name) => name.startsWith(`kept-${caches}.`));
    assert.deepEqual(left, []);
  }
});

test('a damaged NAR is found each time, kept or not', async () => {
  const damaged = Buffer.from(NAR);
  damaged[2_000_000] = (damaged[2_000_000] as number) ^ 1;
  const { source } = await serve(undefined, { keep: newKeep(10_000_000n), stored: damaged });
  for (let time = 0; time < 2; time += 1) await assert.rejects(contentsOf(source), failsWith('NAR_MISMATCH'));
});

test('a small file that unfolds without end is given up, and its connection with it', async () => {
  const bomb = zstdCompressSync(writeNar(file(Buffer.alloc(128 * 1024 * 1024))));
  const { source } = await serve(undefined, { stored: bomb });
  const before = process.memoryUsage().rss;
  await assert.rejects(contentsOf({ ...source, compression: 'zstd' }), failsWith('NAR_MISMATCH'));
  assert.ok(process.memoryUsage().rss - before < 100 * 1024 * 1024);
});

test('the next NARs are asked for while one is read', async () => {
  const all = await Promise.all(Array.from({ length: 10 }, () => serve()));
  const sources = all.map(({ source }) => source);
  {
    await using ahead = new NarsAhead(sources);
    ahead.reach(sources[0] as NarSource);
    await contentsOf(sources[0] as NarSource);
    const asked = all.filter(({ server }) => server.requests.length > 0);
    assert.ok(asked.length > 3 && asked.length < 10);
    ahead.reach(sources[1] as NarSource);
    assert.deepEqual((await contentsOf(sources[1] as NarSource)).slice(1), EXPECTED.slice(1));
    assert.equal(all[1]?.server.requests.length, 1);
  }
});

test('a server is left alone when the visitor has enough', async () => {
  const { source, server } = await serve(({ headers }, response, place) => {
    sendFile(response, { file: place, range: headers.range });
    return true;
  });
  const visitor = {
    entry(): void {
      throw new RangeError('mine');
    },
    data: () => undefined,
  };
  await assert.rejects(visitNar(source, visitor), RangeError);
  assert.equal(server.requests.length, 1);
});
