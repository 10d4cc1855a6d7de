/** Images from binary caches behind HTTP, made and signed by real Nix: the same bytes as from the local store, or a clear error. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { type CacheServer, type CacheServerOptions, serveCache } from '../support/cache-server.ts';
import { buildTestClosure, describeTestImage, type TestClosure } from './support/closure.ts';
import { copyToCache, generateKeys, pathInfoJson, type SigningKeys } from './support/nix.ts';
import { HELLO, phyllo, phylloChecked } from './support/phyllo.ts';
import { type Outcome, runChecked } from './support/process.ts';
import { describeWith } from './support/requirements.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const directory = temporaryDirectory();
const home = join(directory, 'home');
/** Whatever the machine's own configuration says. */
const ENV = {
  NIX_CONF_DIR: home,
  XDG_CONFIG_HOME: home,
  NETRC: join(home, 'netrc'),
  XDG_CACHE_HOME: join(home, 'cache'),
  PHYLLO_STORE_TOKEN: '',
};

describeWith(['nix'], 'an image from binary caches behind HTTP', () => {
  let closure: TestClosure;
  let description: string;
  let keys: SigningKeys;
  let expected: string;
  let signed: string;
  let outputs = 0;

  before(async () => {
    mkdirSync(home);
    closure = await buildTestClosure(directory);
    description = describeTestImage(directory, closure.top);
    keys = await generateKeys(directory, 'test-1');
    expected = digestOf(await build(['--store', closure.store.root]));
    signed = await makeCache('zstd');
  });

  async function makeCache(compression: Parameters<typeof copyToCache>[2]['compression']): Promise<string> {
    const cache = join(directory, `cache-${compression}`);
    if (existsSync(cache)) return cache;
    mkdirSync(cache);
    const { secretKey } = keys;
    await copyToCache(closure.store, [closure.top], { directory: cache, compression, secretKey });
    return cache;
  }

  function args(options: readonly string[], to: string): string[] {
    return ['build', description, '--no-narinfo-cache', ...options, '--json', '--to', to];
  }

  function newLayout(): string {
    outputs += 1;
    return join(directory, `layout-${outputs}`);
  }

  async function build(options: readonly string[], env = {}): Promise<string> {
    return await phylloChecked(args(['--no-cache', ...options], `oci:${newLayout()}`), {
      env: { ...ENV, ...env },
    });
  }

  async function attempt(
    options: readonly string[],
    env = {},
  ): Promise<Outcome & { readonly layout: string }> {
    const layout = newLayout();
    const all = args(['--no-cache', ...options], `oci:${layout}`);
    return { ...(await phyllo(all, { env: { ...ENV, ...env } })), layout };
  }

  /** The arguments that name a server and trust its keys. */
  function from({ url }: CacheServer): string[] {
    return ['--store', url, '--trusted-public-keys', keys.publicKey];
  }

  it('is the same with compression br', async () => {
    // Nix's brotli takes half a minute for the whole closure.
    const small = storePathCalled('alias-1.0', signed);
    const cache = join(directory, 'cache-br');
    mkdirSync(cache);
    const { secretKey } = keys;
    await copyToCache(closure.store, [small], { directory: cache, compression: 'br', secretKey });
    const server = await serveCache(cache);
    const file = join(directory, 'small.json');
    writeFileSync(file, JSON.stringify({ name: 'small', tag: '1', config: { Cmd: [small] } }));
    const digests: string[] = [];
    for (const store of [from(server), ['--store', closure.store.root]]) {
      const all = ['build', file, '--no-cache', ...store, '--json', '--to', `oci:${newLayout()}`];
      digests.push(digestOf(await phylloChecked(all, { env: ENV })));
    }
    assert.equal(digests[0], digests[1]);
    await server.stop();
  });

  for (const compression of ['none', 'xz', 'zstd', 'gzip', 'bzip2'] as const) {
    it(`is the same with compression ${compression}`, async () => {
      const server = await serveCache(await makeCache(compression));
      assert.equal(digestOf(await build(from(server))), expected);
      await server.stop();
    });
  }

  for (const [destination, options] of [
    ['oci', []],
    ['oci', ['--compress', 'zstd']],
    ['docker-archive', []],
    ['docker-archive', ['--compress', 'gzip']],
    ['-', []],
  ] as const) {
    it(`needs each NAR once: ${destination} ${options.join(' ')}`, async () => {
      const server = await serveCache(signed);
      const image = async (store: readonly string[]): Promise<string> => {
        const output = newLayout();
        const to = destination === '-' ? '-' : `${destination}:${output}`;
        const all = ['build', description, '--no-cache', ...options, ...store, '--to', to];
        await phylloChecked(all, { env: ENV, ...(to === '-' ? { stdoutFile: output } : {}) });
        return output;
      };
      const fetched = await image(from(server));
      const nars = server.takeNars();
      assert.equal(new Set(nars).size, nars.length);
      const local = await image(['--store', closure.store.root]);
      await runChecked('diff', ['--recursive', fetched, local]);
      await server.stop();
    });
  }

  it('copies files to the root', async () => {
    const server = await serveCache(signed);
    const copied = join(directory, 'copied.json');
    const extraCommands = 'chmod u+w . && ls > list';
    writeFileSync(
      copied,
      JSON.stringify({ name: 'copied', tag: '1', copyToRoot: closure.top, extraCommands }),
    );
    const digests = [];
    for (const store of [from(server), ['--store', closure.store.root]]) {
      const to = ['--json', '--to', `oci:${newLayout()}`];
      digests.push(
        digestOf(await phylloChecked(['build', copied, '--no-cache', ...store, ...to], { env: ENV })),
      );
    }
    assert.equal(digests[0], digests[1]);
    const nars = server.takeNars();
    assert.equal(new Set(nars).size, nars.length);
    await server.stop();
  });

  it('fetches no NAR of layers that are known and there, and asks for no narinfo twice', async () => {
    const server = await serveCache(signed);
    const layout = newLayout();
    const all = ['build', description, ...from(server), '--to', `oci:${layout}`];
    await phylloChecked(all, { env: ENV });
    assert.notEqual(server.takeNars().length, 0);
    const asked = server.requests.length;
    await phylloChecked(all, { env: ENV });
    assert.equal(server.requests.length, asked);
    await server.stop();
  });

  it('comes from the first of several caches that has a path, and is trusted with it', async () => {
    const part = join(directory, 'part');
    mkdirSync(part);
    await copyToCache(closure.store, [closure.large], { directory: part, compression: 'none' });
    const [whole, unsigned] = [await serveCache(signed), await serveCache(part)];
    const stores = `${unsigned.url}?priority=1,${whole.url}?priority=2`;
    const trusting = ['--trusted-public-keys', keys.publicKey];
    assert.equal(digestOf(await build(['--store', stores, ...trusting])), expected);
    assert.deepEqual(unsigned.takeNars(), []);
    const believing = ['--store', `${unsigned.url}?trusted=true`, '--store', `${whole.url}?priority=50`];
    assert.equal(digestOf(await build([...believing, ...trusting])), expected);
    assert.equal(unsigned.takeNars().length, 1);
    const together = ['--store', `file://${part}?priority=1`, '--store', `${whole.url}?priority=3`];
    assert.equal(digestOf(await build([...together, ...trusting, '--no-check-sigs'])), expected);
    await Promise.all([whole.stop(), unsigned.stop()]);
  });

  it('believes the keys of nix.conf, and of files that it includes', async () => {
    const server = await serveCache(signed);
    const conf = join(directory, 'conf');
    mkdirSync(conf);
    writeFileSync(join(conf, 'nix.conf'), 'include keys.conf\n!include missing.conf\n');
    writeFileSync(join(conf, 'keys.conf'), `extra-trusted-public-keys = ${keys.publicKey} # ours\n`);
    const stdout = await build(['--store', server.url], { NIX_CONF_DIR: conf });
    assert.equal(digestOf(stdout), expected);
    await server.stop();
  });

  it('needs a signature by a key that is trusted', async () => {
    const server = await serveCache(signed);
    const other = await generateKeys(directory, 'other-1');
    const forged = keys.publicKey.replace(/:.*/, other.publicKey.replace(/^[^:]*/, ''));
    for (const options of [
      [],
      ['--trusted-public-keys', other.publicKey],
      ['--trusted-public-keys', forged],
    ]) {
      const { stderr, layout } = await attempt(['--store', server.url, ...options]);
      assert.match(stderr, /\[SIGNATURE_MISSING\]/);
      assert.deepEqual(existsSync(layout) ? readdirSync(join(layout, 'blobs/sha256')) : [], []);
    }
    assert.equal(digestOf(await build(['--store', server.url, '--no-check-sigs'])), expected);
    await server.stop();
  });

  it('believes paths that are the addresses of their contents, without a signature', async () => {
    const cache = join(directory, 'cache-addressed');
    const [flat, tree] = [join(directory, 'flat'), join(directory, 'source')];
    writeFileSync(flat, 'flat');
    mkdirSync(tree);
    writeFileSync(join(tree, 'recursive'), 'recursive');
    const nix = (program: string, args: readonly string[]): Promise<string> =>
      runChecked(program, ['--store', closure.store.root, ...args], { env: closure.store.env });
    const paths = [
      await nix('nix-store', ['--add-fixed', 'sha256', flat]),
      await nix('nix-store', ['--add', tree]),
      await nix('nix-instantiate', [
        '--eval',
        '--read-write-mode',
        '--expr',
        '"${builtins.toFile "text" "text"}"',
      ]),
    ].map((output) => output.trim().replaceAll('"', ''));
    mkdirSync(cache);
    await copyToCache(closure.store, paths, { directory: cache, compression: 'zstd' });
    const server = await serveCache(cache);
    const image = join(directory, 'addressed.json');
    writeFileSync(image, JSON.stringify({ name: 'addressed', tag: '1', config: { Cmd: paths } }));
    const all = ['build', image, '--no-cache', '--no-narinfo-cache', '--json'];
    const trusting = [...all, ...from(server)];
    const local = [...all, '--store', closure.store.root];
    const [one, other] = [
      await phylloChecked([...trusting, '--to', `oci:${newLayout()}`], { env: ENV }),
      await phylloChecked([...local, '--to', `oci:${newLayout()}`], { env: ENV }),
    ];
    assert.equal(digestOf(one), digestOf(other));
    // A cache that changes NAR and narinfo alike gets no further than the contents.
    for (const [index, code] of ['NAR_MISMATCH', 'SIGNATURE_MISSING', 'NAR_MISMATCH'].entries()) {
      const forged = join(directory, `forged-${index}`);
      cpSync(cache, forged, { recursive: true });
      forgeNar(forged, paths[index] as string);
      const forger = await serveCache(forged);
      const { stderr } = await phyllo([...all, ...from(forger), '--to', `oci:${newLayout()}`], { env: ENV });
      assert.match(stderr, new RegExp(`\\[${code}\\]`));
      await forger.stop();
    }
    await server.stop();
  });

  it('believes a closure that was made content-addressed, with a path that refers to itself', async () => {
    const features = ['--extra-experimental-features', 'ca-derivations'];
    const args = [...features, '--store', closure.store.root, 'store', 'make-content-addressed', '--json'];
    const made = await runChecked('nix', [...args, closure.top], { env: closure.store.env });
    const { rewrites } = JSON.parse(made) as { readonly rewrites: Readonly<Record<string, string>> };
    const top = rewrites[closure.top] as string;
    const cache = join(directory, 'cache-rewritten');
    mkdirSync(cache);
    await copyToCache(closure.store, [top], { directory: cache, compression: 'zstd' });
    const file = join(directory, 'rewritten.json');
    writeFileSync(file, JSON.stringify({ name: 'rewritten', tag: '1', config: { Cmd: [top] } }));
    const image = (store: string): string[] => [
      ...['build', file, '--no-cache', '--json', '--store', store],
      ...['--to', `oci:${newLayout()}`],
    ];
    const addressed = await phylloChecked(image(`file://${cache}?trusted=false`), { env: ENV });
    assert.equal(digestOf(addressed), digestOf(await phylloChecked(image(closure.store.root), { env: ENV })));
    const self = storePathCalled('hello-1.0', cache);
    assert.match(narinfoOf(cache, self), new RegExp(`^References: .*${hashPartOf(self)}`, 'm'));
    forgeNar(cache, self);
    const forged = await phyllo(image(`file://${cache}?trusted=false`), { env: ENV });
    assert.match(forged.stderr, /\[NAR_MISMATCH\]/);
  });

  it('is listed: the closure, sizes, and why a path is there', async () => {
    const server = await serveCache(signed);
    const options = [...from(server), '--no-narinfo-cache'];
    const closureOf = async (texts: readonly string[]): Promise<string> =>
      await phylloChecked(['closure', ...texts, ...options], { env: ENV });
    const listed = JSON.parse(await closureOf([hashPartOf(closure.top), '--json'])) as {
      readonly narSize: number;
      readonly paths: readonly { readonly path: string; readonly narSize: number }[];
    };
    const infos = JSON.parse(await pathInfoJson(closure.store, [closure.top])) as readonly {
      readonly path: string;
      readonly narSize: number;
    }[];
    const sizes = (all: typeof infos): Map<string, number> =>
      new Map(all.map(({ path, narSize }) => [path, narSize]));
    assert.deepEqual(sizes(listed.paths), sizes(infos));
    const why = await closureOf([closure.top.slice('/nix/store/'.length), '--why', closure.oddities]);
    assert.equal(why, `${closure.top}\n└───${closure.oddities}\n`);
    assert.match(await closureOf([closure.top, '--tree']), new RegExp(`───${closure.large}`));
    const absent = await phyllo(['closure', closure.large, '--why', closure.top, ...options], { env: ENV });
    assert.match(absent.stderr, /\[STORE_PATH_UNKNOWN\]/);
    assert.deepEqual(server.takeNars(), []);
    await server.stop();
  });

  it('is of what Nix builds: an installable', async () => {
    const { env, root } = closure.store;
    const args = ['closure', '--installable', closure.top, '--store', root, '--why', closure.oddities];
    const why = await phylloChecked(args, { env: { ...ENV, ...env, NIX_REMOTE: root } });
    assert.equal(why, `${closure.top}\n└───${closure.oddities}\n`);
    const failed = await phyllo(['closure', '--installable', '/nix/store/none'], { env: { ...ENV, ...env } });
    assert.match(failed.stderr, /\[COMMAND_FAILED\]/);
    const without = await phyllo(args, { env: { ...ENV, PATH: home } });
    assert.match(without.stderr, /\[PROGRAM_MISSING\]/);
  });

  it('says who it is: by netrc, in the address, by a token', async () => {
    const wants = new Set<string>();
    const server = await serveCache(signed, {
      answer: ({ headers }, response) => {
        if (wants.has(headers.authorization ?? '')) return false;
        response.writeHead(401).end();
        return true;
      },
    });
    const { host } = new URL(server.url);
    const basic = `Basic ${Buffer.from('me:se cret').toString('base64')}`;
    const denied = await attempt(from(server));
    assert.match(denied.stderr, /\[BINARY_CACHE_DENIED\]/);
    wants.add(basic);
    writeFileSync(ENV.NETRC, 'machine 127.0.0.1 login me password "se cret"\n');
    assert.equal(digestOf(await build(from(server))), expected);
    writeFileSync(ENV.NETRC, '');
    const named = { ...server, url: `http://me:se%20cret@${host}` };
    assert.equal(digestOf(await build(from(named))), expected);
    wants.clear();
    wants.add('Bearer t0ken');
    const refused = await attempt(from(named));
    assert.match(refused.stderr, /\[BINARY_CACHE_DENIED\]/);
    assert.doesNotMatch(refused.stderr, /se.{0,3}cret/);
    const token = { PHYLLO_STORE_TOKEN: `${host}=t0ken` };
    assert.equal(digestOf(await build(from(server), token)), expected);
    await server.stop();
  });

  it('survives cut connections, with and without ranges, and busy servers', async () => {
    for (const ranges of [true, false]) {
      const seen = new Map<string, number>();
      const server = await serveCache(signed, {
        ranges,
        answer: ({ path }, response, file) => {
          const times = (seen.get(path) ?? 0) + 1;
          seen.set(path, times);
          if (path.endsWith('.narinfo') && times === 1) {
            response.writeHead(503, { 'retry-after': '0' }).end();
            return true;
          }
          return path.startsWith('/nar/') && times === 1 && cutInTheMiddle(response, file);
        },
      });
      assert.equal(digestOf(await build(from(server))), expected);
      const ranged = server.requests.filter(({ headers }) => headers.range !== undefined);
      assert.notEqual(ranged.length, 0);
      await server.stop();
    }
  });

  it('is the same from a slow server', async () => {
    const server = await serveCache(signed, { latencyMs: 200 });
    assert.equal(digestOf(await build(from(server))), expected);
    await server.stop();
  });

  const nar = (change: (bytes: Buffer, response: ServerResponse) => Buffer): CacheServerOptions['answer'] => {
    return ({ path }, response, file) => {
      if (!path.startsWith('/nar/')) return false;
      const bytes = change(readFileSync(file), response);
      response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
      return true;
    };
  };
  const status = (pattern: RegExp, code: number): CacheServerOptions['answer'] => {
    return ({ path }, response) => {
      if (!pattern.test(path)) return false;
      response.writeHead(code, { 'retry-after': '0' }).end();
      return true;
    };
  };

  const FAULTS: Readonly<Record<string, readonly [RegExp, () => CacheServerOptions['answer']]>> = {
    'a flipped bit in compressed data': [/NAR_(INVALID|MISMATCH)/, () => nar(flipBit)],
    'a NAR that is cut off': [/NAR_(INVALID|MISMATCH)/, () => nar((bytes) => bytes.subarray(0, -9))],
    'a NAR that goes on': [/NAR_(INVALID|MISMATCH)/, () => nar((bytes) => Buffer.concat([bytes, bytes]))],
    'another NAR': [/NAR_(INVALID|MISMATCH)/, () => nar(() => anotherNar(signed))],
    'an empty NAR': [/NAR_(INVALID|MISMATCH)/, () => nar(() => Buffer.alloc(0))],
    'a NAR that is not there': [/NAR_MISSING/, () => status(/^\/nar\//, 404)],
    'a NAR that nobody may have': [/BINARY_CACHE_DENIED/, () => status(/^\/nar\//, 403)],
    'a server that is broken': [/NETWORK_FAILED/, () => status(/^\/nar\//, 500)],
    'a narinfo that is not there': [/CLOSURE_INCOMPLETE/, () => status(hashOf(closure.large), 404)],
    'a narinfo that is none': [
      /NARINFO_INVALID/,
      () => text(hashOf(closure.large), '<html>please log in</html>'),
    ],
    'a narinfo of another path': [
      /NARINFO_INVALID/,
      () => text(hashOf(closure.large), narinfoOf(signed, closure.top)),
    ],
    'another NAR size': [
      /SIGNATURE_MISSING/,
      () => text(hashOf(closure.large), narinfoOf(signed, closure.large).replace(/NarSize: /, 'NarSize: 1')),
    ],
    'another file size': [
      /NAR_MISMATCH/,
      () =>
        text(hashOf(closure.large), narinfoOf(signed, closure.large).replace(/FileSize: /, 'FileSize: 1')),
    ],
    'no cache at all': [/BINARY_CACHE_INVALID/, () => status(/nix-cache-info/, 404)],
  };
  const text = (pattern: RegExp, answer: string): CacheServerOptions['answer'] => {
    return ({ path }, response) => {
      if (!pattern.test(path)) return false;
      response.end(answer);
      return true;
    };
  };

  for (const [fault, [code, answer]] of Object.entries(FAULTS)) {
    it(`is not made from a cache with ${fault}`, async () => {
      const server = await serveCache(signed, {
        answer: answer() as NonNullable<CacheServerOptions['answer']>,
      });
      const { exitCode, stderr, layout } = await attempt(from(server));
      assert.equal(exitCode, 1, stderr);
      assert.match(stderr, new RegExp(`\\[${code.source}\\]`));
      assert.ok(
        !existsSync(layout) || !readFileSync(join(layout, 'index.json'), 'utf8').includes('"digest"'),
      );
      await server.stop();
    });
  }

  it('is the same after a cache was damaged and repaired', async () => {
    const copy = join(directory, 'copy');
    cpSync(signed, copy, { recursive: true });
    const broken = join(copy, `${hashPartOf(closure.large)}.narinfo`);
    const whole = readFileSync(broken, 'utf8');
    writeFileSync(broken, whole.replace('NarSize', 'NarSizes'));
    const server = await serveCache(copy);
    const all = ['build', description, ...from(server), '--no-cache', '--json'];
    const env = { ...ENV, XDG_CACHE_HOME: join(home, 'damaged') };
    assert.match((await phyllo([...all, '--to', `oci:${newLayout()}`], { env })).stderr, /NARINFO_INVALID/);
    writeFileSync(broken, whole);
    const built = await phylloChecked([...all, '--to', `oci:${newLayout()}`], { env });
    assert.equal(digestOf(built), expected);
    await server.stop();
  });
});

describeWith(['openssl'], 'a binary cache behind TLS', () => {
  it('needs an authority that is trusted, and speaks HTTP/2', async () => {
    const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    await runChecked('openssl', ['req', '-x509', ...kind, '-keyout', key, '-out', cert, ...subject]);
    const tls = { key: readFileSync(key), cert: readFileSync(cert) };
    const server = await serveCache(join(HELLO, 'cache'), { tls });
    const from = ['--store', server.url, '--no-check-sigs', '--no-narinfo-cache'];
    const args = ['plan', join(HELLO, 'image.json'), ...from, '--json'];
    const env = { ...ENV, no_proxy: '127.0.0.1', NIX_SSL_CERT_FILE: '', SSL_CERT_FILE: '' };
    assert.match((await phyllo(args, { env })).stderr, /\[NETWORK_FAILED\]/);
    const trusting = await phylloChecked(args, { env: { ...env, SSL_CERT_FILE: cert } });
    const local = ['plan', join(HELLO, 'image.json'), '--json'];
    assert.equal(trusting, await phylloChecked(local, { env }));
    assert.deepEqual(new Set(server.requests.map(({ version }) => version)), new Set(['2.0']));
    const proxy = await startProxy();
    const https_proxy = `http://me:se%20cret@${proxy.host}`;
    const proxied = { ...env, no_proxy: '', https_proxy, SSL_CERT_FILE: cert };
    assert.equal(await phylloChecked(args, { env: proxied }), trusting);
    assert.deepEqual(new Set(proxy.tunnels), new Set([`${new URL(server.url).host} me:se cret`]));
    proxy.stop();
    assert.equal(await phylloChecked(args, { env: { ...proxied, no_proxy: '127.0.0.1' } }), trusting);
    await server.stop();
  });
});

interface Proxy {
  readonly host: string;
  /** `HOST USER:PASSWORD` of each. */
  readonly tunnels: readonly string[];
  stop(): void;
}

async function startProxy(): Promise<Proxy> {
  const tunnels: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer();
  server.on('connect', ({ url = '', headers }: IncomingMessage, client: Socket) => {
    const basic = /^Basic (.*)$/.exec(headers['proxy-authorization'] ?? '')?.[1] ?? '';
    tunnels.push(`${url} ${Buffer.from(basic, 'base64').toString()}`);
    const { hostname, port } = new URL(`http://${url}`);
    const upstream = connect(Number(port), hostname, () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      client.pipe(upstream).pipe(client);
    });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = (): void => {
    server.close();
    server.closeAllConnections();
    for (const socket of sockets) socket.destroy();
  };
  after(stop);
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, tunnels, stop };
}

function digestOf(stdout: string): string {
  return (JSON.parse(stdout) as { readonly manifestDigest: string }).manifestDigest;
}

function hashPartOf(storePath: string): string {
  return storePath.slice('/nix/store/'.length).slice(0, 32);
}

function hashOf(storePath: string): RegExp {
  return new RegExp(hashPartOf(storePath));
}

function narinfoOf(cache: string, storePath: string): string {
  return readFileSync(join(cache, `${hashPartOf(storePath)}.narinfo`), 'utf8');
}

/** The one in the cache that has this name. */
function storePathCalled(name: string, cache: string): string {
  const narinfos = readdirSync(cache).filter((file) => file.endsWith('.narinfo'));
  const texts = narinfos.map((file) => readFileSync(join(cache, file), 'utf8'));
  const path = texts.map((text) => /^StorePath: (.*)$/m.exec(text)?.[1] ?? '');
  return path.find((found) => found.endsWith(`-${name}`)) as string;
}

const STORE_PREFIX = '/nix/store/'.length + 33;
const CONTENTS: Readonly<Record<string, string>> = {
  flat: 'flat',
  source: 'recursive',
  text: 'text',
  'hello-1.0': 'hello',
};

/** Puts another byte into a path's NAR and describes it as it is then. */
function forgeNar(cache: string, storePath: string): void {
  const narinfo = join(cache, `${hashPartOf(storePath)}.narinfo`);
  const text = readFileSync(narinfo, 'utf8');
  const nar = join(cache, /^URL: (.*)$/m.exec(text)?.[1] ?? '');
  const bytes = zstdDecompressSync(readFileSync(nar));
  const at = bytes.lastIndexOf(CONTENTS[storePath.slice(STORE_PREFIX)] ?? '');
  bytes.write('F', at);
  const compressed = zstdCompressSync(bytes);
  writeFileSync(nar, compressed);
  const hash = (content: Buffer): string => `sha256:${createHash('sha256').update(content).digest('hex')}`;
  const forged = text
    .replace(/^FileHash: .*/m, `FileHash: ${hash(compressed)}`)
    .replace(/^FileSize: .*/m, `FileSize: ${compressed.length}`)
    .replace(/^NarHash: .*/m, `NarHash: ${hash(bytes)}`);
  writeFileSync(narinfo, forged);
}

function flipBit(bytes: Buffer): Buffer {
  const at = Math.floor(bytes.length / 2);
  bytes[at] = (bytes[at] as number) ^ 1;
  return bytes;
}

function anotherNar(cache: string): Buffer {
  const [name = ''] = readdirSync(join(cache, 'nar'));
  return readFileSync(join(cache, 'nar', name));
}

function cutInTheMiddle(response: ServerResponse, file: string): boolean {
  const bytes = readFileSync(file);
  response.writeHead(200, { 'content-length': bytes.length, etag: '"1"' });
  response.write(bytes.subarray(0, Math.ceil(bytes.length / 2)), () =>
    setTimeout(() => response.destroy(), 20),
  );
  return true;
}
