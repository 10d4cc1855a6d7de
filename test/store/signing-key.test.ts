import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isSignedBy, parsePublicKey, parseSecretKey, signText } from '../../src/store/signing-key.ts';
import { describeWith } from '../integration/support/requirements.ts';
import { runChecked } from '../integration/support/process.ts';
import { temporaryDirectory } from '../integration/support/temporary-directory.ts';

// RFC 8032, section 7.1, test 1: an empty message.
const SEED = '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60';
const PUBLIC = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a';
const SIGNATURE =
  'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b';
const named = (name: string, hex: string): string => `${name}:${Buffer.from(hex, 'hex').toString('base64')}`;
const publicKey = parsePublicKey(named('test-1', PUBLIC));
const secretKey = parseSecretKey(named('test-1', SEED + PUBLIC));

test("RFC 8032's signature", () => {
  assert.equal(signText('', secretKey), named('test-1', SIGNATURE));
  assert.ok(isSignedBy('', { signatures: [named('test-1', SIGNATURE)], keys: [publicKey] }));
});

test('a signature holds for its text, its key and its name', () => {
  const signature = signText('text', secretKey);
  const keys = [publicKey];
  assert.ok(isSignedBy('text', { signatures: ['broken', 'other:AAAA', signature], keys }));
  assert.ok(!isSignedBy('text!', { signatures: [signature], keys }));
  assert.ok(!isSignedBy('text', { signatures: [signature.replace('test-1', 'test-2')], keys }));
  assert.ok(!isSignedBy('text', { signatures: [signature], keys: [] }));
  assert.ok(!isSignedBy('text', { signatures: [], keys }));
});

for (const text of ['', 'name', 'name:', ':AAAA', 'name:!!', named('name', PUBLIC.slice(2)), `a b:${PUBLIC}`])
  test(`no key: ${JSON.stringify(text)}`, () => {
    assert.throws(() => parsePublicKey(text), { code: 'SIGNING_KEY_INVALID' });
    assert.throws(() => parseSecretKey(text), { code: 'SIGNING_KEY_INVALID' });
  });

describeWith(['nix'], 'keys that Nix makes', () => {
  test('are a pair', async () => {
    const directory = temporaryDirectory();
    const files = ['secret', 'public'].map((name) => join(directory, name));
    await runChecked('nix-store', ['--generate-binary-cache-key', 'cache.example-1', ...files]);
    const [secret = '', shared = ''] = files.map((file) => readFileSync(file, 'utf8'));
    const signatures = [signText('text', parseSecretKey(secret))];
    assert.ok(isSignedBy('text', { signatures, keys: [parsePublicKey(shared)] }));
  });
});
