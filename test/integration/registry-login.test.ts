/** Who may do what: real registries that ask for a password or for tokens, and images in them that skopeo pushed. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { HELLO, phyllo, phylloChecked, phylloCommand } from './support/phyllo.ts';
import { type Outcome, outcomeOf, runChecked, start } from './support/process.ts';
import { passwordFile, type Registry, startRegistry } from './support/registry.ts';
import { describeWith } from './support/requirements.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';
import { startTokenService, type TokenService, USER } from './support/token-service.ts';

const directory = temporaryDirectory();
const ARCHIVE = join(directory, 'hello.tar');
const CREDENTIALS = `${USER.name}:${USER.password}`;
let homes = 0;

/** The environment of somebody who has never logged in anywhere. */
function newHome(): Readonly<Record<string, string>> & { readonly HOME: string } {
  homes += 1;
  const HOME = join(directory, `home-${homes}`);
  mkdirSync(HOME);
  return { HOME, DOCKER_CONFIG: '', REGISTRY_AUTH_FILE: '', XDG_RUNTIME_DIR: '' };
}

async function login(
  host: string,
  { password, env }: { readonly password: string; readonly env: Readonly<Record<string, string>> },
): Promise<Outcome> {
  const [program, ...args] = phylloCommand(['login', '-u', USER.name, '--password-stdin', host]);
  const child = start(program, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin?.end(`${password}\n`);
  return await outcomeOf(child);
}

async function refused(outcome: Promise<Outcome>, code = 'REGISTRY_UNAUTHORIZED'): Promise<void> {
  const { exitCode, stdout, stderr } = await outcome;
  assert.equal(exitCode, 1, stderr);
  assert.match(stderr, new RegExp(`\\[${code}\\]`));
  for (const secret of [USER.password, 'wrong word', Buffer.from(CREDENTIALS).toString('base64')])
    assert.ok(!`${stdout}${stderr}`.includes(secret));
}

async function push(registry: Registry, repository: string): Promise<string> {
  const image = `docker://${registry.host}/${repository}:1`;
  const flags = [
    '--insecure-policy',
    'copy',
    '--quiet',
    '--dest-tls-verify=false',
    '--dest-creds',
    CREDENTIALS,
  ];
  await runChecked('skopeo', [...flags, `docker-archive:${ARCHIVE}`, image]);
  return image;
}

before(async () => {
  await phylloChecked(['build', join(HELLO, 'image.json'), '--quiet', '--to', `docker-archive:${ARCHIVE}`]);
});

describeWith(['registry', 'skopeo'], 'a registry with passwords', () => {
  let registry: Registry;
  let image: string;
  before(async () => {
    registry = await startRegistry(directory, { name: 'passwords', auth: passwordFile(directory) });
    image = await push(registry, 'team/hello');
  });
  after(() => registry.stop());

  it('lets nobody in who has none', async () => {
    await refused(phyllo(['inspect', image], { env: newHome() }));
    await refused(phyllo(['inspect', '--creds', 'me:wrong word', image], { env: newHome() }));
  });

  it('lets in who gives them with --creds, also from a file', async () => {
    const env = newHome();
    await phylloChecked(['inspect', '--creds', CREDENTIALS, image], { env });
    await phylloChecked(['inspect', '--creds', `${registry.host}=${CREDENTIALS}`, image], { env });
    const file = join(env.HOME, 'creds');
    writeFileSync(file, `${CREDENTIALS}\n`);
    await phylloChecked(['inspect', '--creds', `@${file}`, image], { env });
    await refused(phyllo(['inspect', '--creds', `other.example=${CREDENTIALS}`, image], { env }));
  });

  it('gives --creds without a host to no registry when there are several', async () => {
    const outcome = await phyllo(['diff', '--creds', CREDENTIALS, image, 'docker://other.example/x'], {
      env: newHome(),
    });
    assert.equal(outcome.exitCode, 2);
    assert.match(outcome.stderr, /\[USAGE_INVALID\]/);
  });

  it('is logged in to, which skopeo sees, too, and out of', async () => {
    const env = newHome();
    await refused(login(registry.host, { password: 'wrong word', env }));
    const config = join(env.HOME, '.docker', 'config.json');
    assert.throws(() => statSync(config));
    assert.equal((await login(registry.host, { password: USER.password, env })).exitCode, 0);
    assert.equal(statSync(config).mode & 0o777, 0o600);
    await phylloChecked(['inspect', image], { env });
    await runChecked('skopeo', ['inspect', '--tls-verify=false', image], { env });
    await phylloChecked(['logout', registry.host], { env });
    await refused(phyllo(['inspect', image], { env }));
  });

  it('is let into with what skopeo logged in with, and out of where that stays', async () => {
    const env = { ...newHome(), XDG_RUNTIME_DIR: newHome().HOME };
    const flags = ['login', '--tls-verify=false', '-u', USER.name, '-p', USER.password, registry.host];
    await runChecked('skopeo', flags, { env });
    await phylloChecked(['inspect', image], { env });
    const outcome = await phyllo(['logout', registry.host], { env });
    assert.match(outcome.stderr, /still has credentials/);
    const elsewhere = { ...newHome(), REGISTRY_AUTH_FILE: join(env.XDG_RUNTIME_DIR, 'containers/auth.json') };
    await phylloChecked(['inspect', image], { env: elsewhere });
    await phylloChecked(['logout', registry.host], { env: elsewhere });
    await refused(phyllo(['inspect', image], { env }));
  });

  it('is let into with what a helper keeps', async () => {
    const env = newHome();
    const kept = join(env.HOME, 'kept');
    const helper = join(env.HOME, 'docker-credential-test');
    writeFileSync(
      helper,
      `#!/bin/sh\ncase $1 in store) cat > ${kept} ;; get) cat ${kept} ;; erase) rm ${kept} ;; esac\n`,
    );
    chmodSync(helper, 0o755);
    mkdirSync(join(env.HOME, '.docker'));
    const config = join(env.HOME, '.docker', 'config.json');
    writeFileSync(config, JSON.stringify({ credHelpers: { [registry.host]: 'test' }, other: 1 }));
    const withHelper = { ...env, PATH: `${env.HOME}:${process.env['PATH'] ?? ''}` };
    assert.equal((await login(registry.host, { password: USER.password, env: withHelper })).exitCode, 0);
    assert.ok(!readFileSync(config, 'utf8').includes(Buffer.from(CREDENTIALS).toString('base64')));
    await phylloChecked(['inspect', image], { env: withHelper });
    await refused(phyllo(['inspect', image], { env }), 'PROGRAM_MISSING');
    await phylloChecked(['logout', registry.host], { env: withHelper });
    assert.throws(() => statSync(kept));
  });
});

describeWith(['registry', 'skopeo', 'openssl'], 'a registry with tokens', () => {
  let service: TokenService;
  let registry: Registry;
  let hidden: string;
  let open: string;
  before(async () => {
    service = await startTokenService(directory);
    registry = await startRegistry(directory, { name: 'tokens', auth: service.auth });
    hidden = await push(registry, 'team/hello');
    open = await push(registry, 'public/hello');
  });
  after(async () => {
    await registry.stop();
    await service.stop();
  });

  it('lets everybody read what is public, with one token for all requests', async () => {
    const before = service.asked.length;
    await phylloChecked(['copy', '--quiet', open, `oci:${join(directory, 'public')}`], { env: newHome() });
    assert.deepEqual(service.asked.slice(before), [
      { method: 'GET', user: undefined, scopes: ['repository:public/hello:pull'] },
    ]);
    await refused(phyllo(['inspect', hidden], { env: newHome() }));
  });

  it('lets in who has a password, or an identity token', async () => {
    await refused(phyllo(['inspect', '--creds', 'me:wrong word', hidden], { env: newHome() }));
    await phylloChecked(['inspect', '--creds', CREDENTIALS, hidden], { env: newHome() });
    const env = newHome();
    mkdirSync(join(env.HOME, '.docker'));
    const auths = { [registry.host]: { identitytoken: USER.identityToken } };
    writeFileSync(join(env.HOME, '.docker', 'config.json'), JSON.stringify({ auths }));
    await phylloChecked(['inspect', hidden], { env });
    assert.equal(service.asked.at(-1)?.method, 'POST');
  });

  it('is asked for new tokens as old ones expire', async () => {
    service.lifetime = 0.001;
    const before = service.asked.length;
    await phylloChecked(
      ['copy', '--quiet', '--creds', CREDENTIALS, hidden, `oci:${join(directory, 'short')}`],
      {
        env: newHome(),
      },
    );
    service.lifetime = 300;
    assert.ok(service.asked.length - before > 2);
  });

  it('is logged in to by whom the service knows', async () => {
    const env = newHome();
    await refused(login(registry.host, { password: 'wrong word', env }));
    assert.equal((await login(registry.host, { password: USER.password, env })).exitCode, 0);
    await phylloChecked(['inspect', hidden], { env });
  });
});
