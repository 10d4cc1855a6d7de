import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { describeAddress, parseDaemonHost } from '../../../src/transport/daemon/daemon-address.ts';
import { findDaemon } from '../../../src/transport/daemon/find-daemon.ts';
import { failsWith } from '../../store/support/errors.ts';
import { temporaryDirectory } from '../../integration/support/temporary-directory.ts';

const directory = temporaryDirectory();

/** A directory like docker's, with one context called `remote`. */
function dockerConfig(
  host: string,
  { current, pem = {} }: { readonly current?: string; readonly pem?: Readonly<Record<string, string>> } = {},
): string {
  const config = mkdtempSync(join(directory, 'config-'));
  writeFileSync(join(config, 'config.json'), JSON.stringify({ auths: {}, currentContext: current }));
  const hash = createHash('sha256').update('remote').digest('hex');
  const meta = join(config, 'contexts/meta', hash);
  mkdirSync(meta, { recursive: true });
  writeFileSync(
    join(meta, 'meta.json'),
    JSON.stringify({ Name: 'remote', Endpoints: { docker: { Host: host } } }),
  );
  const tls = join(config, 'contexts/tls', hash, 'docker');
  mkdirSync(tls, { recursive: true });
  for (const [name, text] of Object.entries(pem)) writeFileSync(join(tls, name), text);
  return config;
}

test('addresses', () => {
  const cases = [
    ['unix:///run/x/docker.sock', 'unix:///run/x/docker.sock'],
    ['tcp://10.0.0.5:1234', 'tcp://10.0.0.5:1234'],
    ['tcp://host.example', 'tcp://host.example:2375'],
    ['tcp://[::1]:99/', 'tcp://[::1]:99'],
    ['http://127.0.0.1:5', 'tcp://127.0.0.1:5'],
    ['https://host.example', 'tcp://host.example:2376'],
  ] as const;
  for (const [text, wanted] of cases)
    assert.equal(describeAddress(parseDaemonHost(text, { origin: 'DOCKER_HOST' })), wanted);
  for (const text of [
    'ssh://me@host',
    'npipe:////./pipe/docker',
    'fd://',
    'unix://relative',
    'host:2375',
    'tcp://',
    'tcp://u:p@h',
    'tcp://h/path',
    '',
  ])
    assert.throws(
      () => parseDaemonHost(text, { origin: 'DOCKER_HOST' }),
      failsWith('DAEMON_ADDRESS_INVALID'),
      text,
    );
});

test('DOCKER_HOST wins over contexts, DOCKER_CONTEXT over the current one, and without all there is the local socket', () => {
  const configDirectory = dockerConfig('tcp://remote.example:1', { current: 'remote' });
  const find = (settings: object): string => describeAddress(findDaemon({ configDirectory, ...settings }));
  assert.equal(find({}), 'tcp://remote.example:1');
  assert.equal(find({ host: 'unix:///x' }), 'unix:///x');
  assert.equal(find({ host: 'unix:///x', context: 'remote' }), 'unix:///x');
  assert.equal(find({ context: 'default' }), 'unix:///var/run/docker.sock');
  assert.equal(find({ configDirectory: join(directory, 'none') }), 'unix:///var/run/docker.sock');
  const uncurrent = dockerConfig('unix:///y');
  assert.equal(find({ configDirectory: uncurrent }), 'unix:///var/run/docker.sock');
  assert.equal(find({ configDirectory: uncurrent, context: 'remote' }), 'unix:///y');
});

test('a context that is not there, and a damaged file, are errors', () => {
  const configDirectory = dockerConfig('unix:///x');
  const isInvalid = failsWith('DAEMON_ADDRESS_INVALID');
  assert.throws(() => findDaemon({ configDirectory, context: 'nobody' }), isInvalid);
  writeFileSync(join(configDirectory, 'config.json'), '{');
  assert.throws(() => findDaemon({ configDirectory }), isInvalid);
});

test('certificates come from DOCKER_CERT_PATH with TLS alone, and from the context that has some', () => {
  const pem = { 'ca.pem': 'CA', 'cert.pem': 'CERT', 'key.pem': 'KEY' };
  const configDirectory = dockerConfig('tcp://remote.example', { pem });
  const secured = { authorities: 'CA', certificate: 'CERT', key: 'KEY', insecure: false };
  assert.deepEqual(findDaemon({ configDirectory, context: 'remote' }), {
    kind: 'tcp',
    host: 'remote.example:2376',
    tls: secured,
  });
  const certificates = mkdtempSync(join(directory, 'certificates-'));
  for (const [name, text] of Object.entries(pem)) writeFileSync(join(certificates, name), text);
  const host = 'tcp://h.example';
  assert.deepEqual(findDaemon({ configDirectory, host, tls: true, certificates }), {
    kind: 'tcp',
    host: 'h.example:2376',
    tls: secured,
  });
  assert.deepEqual(findDaemon({ configDirectory, host, certificates }), {
    kind: 'tcp',
    host: 'h.example:2375',
    tls: undefined,
  });
});
