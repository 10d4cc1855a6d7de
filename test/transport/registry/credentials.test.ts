/** Where credentials come from, and where they go: files as docker and podman write them, helpers as small programs. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, statSync, symlinkSync, lstatSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { after, test } from 'node:test';
import { PhylloError } from '../../../src/errors.ts';
import { findCredentials } from '../../../src/transport/registry/credentials.ts';
import { forgetCredentials, keepCredentials } from '../../../src/transport/registry/keep-credentials.ts';
import { temporaryDirectory } from '../../integration/support/temporary-directory.ts';

const directory = temporaryDirectory();
const programs = join(directory, 'bin');
mkdirSync(programs);
const PATH = process.env['PATH'] ?? '';
process.env['PATH'] = `${programs}${delimiter}${PATH}`;
after(() => {
  process.env['PATH'] = PATH;
});

const SECRET = 'open sesame: \u00fc';
const PASSWORD = { kind: 'password', user: 'me', password: SECRET } as const;
const AUTH = Buffer.from(`me:${SECRET}`).toString('base64');

let count = 0;

function writeFile(document: unknown): string {
  count += 1;
  const path = join(directory, `${count}.json`);
  writeFileSync(path, typeof document === 'string' ? document : JSON.stringify(document));
  return path;
}

function writeHelper(name: string, script: string): void {
  const path = join(programs, `docker-credential-${name}`);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
}

const find = (host: string, ...files: readonly string[]): ReturnType<typeof findCredentials> =>
  findCredentials({ host, repository: 'team/app' }, { files });

async function fails(promise: Promise<unknown>, code: string): Promise<void> {
  await assert.rejects(promise, (error: unknown) => {
    assert.ok(error instanceof PhylloError);
    assert.equal(error.code, code);
    const told = `${error.message} ${error.hint ?? ''} ${String(error.cause)}`;
    for (const secret of [SECRET, AUTH, 'sesame', 'topsecret']) assert.ok(!told.includes(secret), told);
    return true;
  });
}

const KEYS: readonly (readonly [string, string, boolean])[] = [
  ['ghcr.io', 'ghcr.io', true],
  ['ghcr.io', 'https://ghcr.io', true],
  ['ghcr.io', 'https://ghcr.io/v2/', true],
  ['ghcr.io', 'ghcr.io/v1/', true],
  ['ghcr.io', 'GHCR.io', true],
  ['ghcr.io', 'ghcr.io/team', true],
  ['ghcr.io', 'ghcr.io/team/app', true],
  ['ghcr.io', 'ghcr.io/tea', false],
  ['ghcr.io', 'ghcr.io/team/app/more', false],
  ['ghcr.io', 'example.com', false],
  ['ghcr.io', 'ghcr.io:443', false],
  ['127.0.0.1:5000', '127.0.0.1:5000', true],
  ['127.0.0.1:5000', '127.0.0.1', false],
  ['docker.io', 'https://index.docker.io/v1/', true],
  ['docker.io', 'docker.io', true],
  ['docker.io', 'registry-1.docker.io', true],
];

for (const [host, key, isFound] of KEYS) {
  test(`${host} ${isFound ? 'finds' : 'does not find'} the entry ${key}`, async () => {
    const found = await find(host, writeFile({ auths: { [key]: { auth: AUTH } } }));
    assert.deepEqual(found, isFound ? PASSWORD : undefined);
  });
}

test('the longest path wins, the first file before the second, and what was given before all', async () => {
  const entry = (password: string): object => ({ username: 'me', password });
  const first = writeFile({
    auths: {
      'r.example': entry('host'),
      'r.example/team/app': entry('app'),
      'r.example/team': entry('team'),
    },
  });
  const second = writeFile({ auths: { 'r.example': entry('second'), 's.example': entry('s') } });
  const files = [join(directory, 'missing.json'), first, second];
  const password = async (host: string, repository?: string): Promise<unknown> => {
    const found = await findCredentials(
      { host, ...(repository === undefined ? {} : { repository }) },
      { files },
    );
    return found?.kind === 'password' ? found.password : found;
  };
  assert.equal(await password('r.example', 'team/app'), 'app');
  assert.equal(await password('r.example', 'team/other'), 'team');
  assert.equal(await password('r.example'), 'host');
  assert.equal(await password('s.example'), 's');
  assert.equal(await password('t.example'), undefined);
  const explicit = [{ host: 'r.example', credentials: PASSWORD }];
  assert.deepEqual(await findCredentials({ host: 'r.example' }, { explicit, files }), PASSWORD);
  const other = await findCredentials({ host: 's.example' }, { explicit, files });
  assert.notDeepEqual(other, PASSWORD);
});

test('identity tokens are told apart from passwords, and empty entries are none', async () => {
  const file = writeFile({
    auths: { 'a.example': { auth: AUTH, identitytoken: 'topsecret' }, 'b.example': {} },
  });
  assert.deepEqual(await find('a.example', file), { kind: 'identityToken', token: 'topsecret' });
  assert.equal(await find('b.example', file), undefined);
});

test('damaged files are errors that show nothing of what is in them', async () => {
  await fails(
    find('a.example', writeFile(`{"auths": {"a.example": {"auth": "${AUTH}"}`)),
    'CREDENTIALS_INVALID',
  );
  await fails(find('a.example', writeFile([AUTH])), 'CREDENTIALS_INVALID');
  await fails(find('a.example', writeFile({ auths: { 'a.example': AUTH } })), 'CREDENTIALS_INVALID');
  await fails(
    find('a.example', writeFile({ auths: { 'a.example': { auth: 'topsecret' } } })),
    'CREDENTIALS_INVALID',
  );
  await fails(find('a.example', directory), 'FILE_UNREADABLE');
  assert.equal(await find('a.example', writeFile('')), undefined);
});

test('helpers are asked by host, the one of the registry before the one of all', async () => {
  const seen = join(directory, 'asked');
  const answer = (user: string): string =>
    `[ "$1" = get ] && cat > ${seen} && echo '{"ServerURL":"x","Username":"${user}","Secret":"topsecret"}'`;
  writeHelper('own', answer('own'));
  writeHelper('all', answer('<token>'));
  const file = writeFile({
    credsStore: 'all',
    credHelpers: { 'r.example': 'own' },
    auths: { 's.example': {} },
  });
  assert.deepEqual(await find('r.example', file), { kind: 'password', user: 'own', password: 'topsecret' });
  assert.equal(readFileSync(seen, 'utf8'), 'r.example');
  assert.deepEqual(await find('docker.io', file), { kind: 'identityToken', token: 'topsecret' });
  assert.equal(readFileSync(seen, 'utf8'), 'https://index.docker.io/v1/');
});

test('a helper that knows nothing lets others be asked; one that fails is an error', async () => {
  writeHelper('empty', 'echo "credentials not found in native keychain"; exit 1');
  const other = writeFile({ auths: { 'r.example': { auth: AUTH } } });
  const asking = (name: string): string => writeFile({ credsStore: name });
  assert.deepEqual(await find('r.example', asking('empty'), other), PASSWORD);
  writeHelper('broken', 'echo topsecret; echo topsecret >&2; exit 3');
  await fails(find('r.example', asking('broken'), other), 'CREDENTIALS_INVALID');
  writeHelper('talks', 'echo topsecret');
  await fails(find('r.example', asking('talks')), 'CREDENTIALS_INVALID');
  writeHelper('endless', 'cat /dev/zero');
  await fails(find('r.example', asking('endless')), 'CREDENTIALS_INVALID');
  await fails(find('r.example', asking('missing')), 'PROGRAM_MISSING');
  await fails(find('r.example', asking('../bin/evil')), 'CREDENTIALS_INVALID');
});

test('credentials are kept in a file that nobody else can read, and nothing else in it changes', async () => {
  const place = join(directory, 'new', 'config.json');
  await keepCredentials(place, { host: 'docker.io', credentials: PASSWORD });
  assert.equal(statSync(place).mode & 0o777, 0o600);
  assert.deepEqual(JSON.parse(readFileSync(place, 'utf8')), {
    auths: { 'https://index.docker.io/v1/': { auth: AUTH } },
  });
  const before = {
    psFormat: 'x',
    big: 12345678901234567890n,
    auths: { 'https://r.example/v2/': {}, other: { auth: AUTH } },
  };
  const text = JSON.stringify(before, (_, value: unknown) => (typeof value === 'bigint' ? 1 : value)).replace(
    '"big":1',
    '"big":12345678901234567890',
  );
  const linked = writeFile(text);
  const link = join(directory, 'link.json');
  symlinkSync(linked, link);
  await keepCredentials(link, { host: 'r.example', credentials: PASSWORD });
  assert.ok(lstatSync(link).isSymbolicLink());
  const kept = readFileSync(linked, 'utf8');
  assert.match(kept, /"big": 12345678901234567890,/);
  assert.deepEqual((JSON.parse(kept) as { auths: unknown }).auths, {
    other: { auth: AUTH },
    'r.example': { auth: AUTH },
  });
  assert.deepEqual(await find('r.example', link), PASSWORD);
  assert.equal(await forgetCredentials(link, 'r.example'), true);
  assert.equal(await forgetCredentials(link, 'r.example'), false);
  assert.equal(await find('r.example', link), undefined);
});

test('where a helper is named it keeps them, and the file does not', async () => {
  const kept = join(directory, 'kept');
  writeHelper(
    'keeper',
    `case $1 in store) cat > ${kept};; erase) cat > /dev/null; rm ${kept};; *) echo "credentials not found in native keychain"; exit 1;; esac`,
  );
  const file = writeFile({ credsStore: 'keeper', auths: { 'r.example': { auth: AUTH } } });
  assert.equal(
    await keepCredentials(file, { host: 'r.example', credentials: PASSWORD }),
    'docker-credential-keeper',
  );
  assert.deepEqual(JSON.parse(readFileSync(kept, 'utf8')), {
    ServerURL: 'r.example',
    Username: 'me',
    Secret: SECRET,
  });
  assert.ok(!readFileSync(file, 'utf8').includes(AUTH));
  assert.equal(await forgetCredentials(file, 'r.example'), true);
  assert.throws(() => statSync(kept));
});
