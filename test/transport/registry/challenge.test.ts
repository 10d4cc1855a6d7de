import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseChallenges } from '../../../src/transport/registry/challenge.ts';

const parse = (header: string | undefined): unknown =>
  parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);

const CASES: readonly (readonly [string | undefined, unknown])[] = [
  [undefined, []],
  ['', []],
  ['Basic realm="Registry"', [['basic', { realm: 'Registry' }]]],
  ['Basic', [['basic', {}]]],
  [
    'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push"',
    [
      [
        'bearer',
        {
          realm: 'https://auth.docker.io/token',
          service: 'registry.docker.io',
          scope: 'repository:a/b:pull,push',
        },
      ],
    ],
  ],
  ['Bearer realm=plain , error = "x"', [['bearer', { realm: 'plain', error: 'x' }]]],
  [
    'Negotiate, Basic realm="a, b", charset="UTF-8", Bearer realm="c"',
    [
      ['negotiate', {}],
      ['basic', { realm: 'a, b', charset: 'UTF-8' }],
      ['bearer', { realm: 'c' }],
    ],
  ],
  [
    'NTLM dGVzdA==, BASIC Realm="quoted \\" and \\\\"',
    [
      ['ntlm', {}],
      ['basic', { realm: 'quoted " and \\' }],
    ],
  ],
  ['Bearer realm="never closed', [['bearer', {}]]],
];

for (const [header, wanted] of CASES) {
  test(`the challenges of ${JSON.stringify(header)}`, () => assert.deepEqual(parse(header), wanted));
}

test('any text is read in a time that its length bounds, and never throws', () => {
  const pieces = fc.constantFrom('Basic', ' ', ',', '=', '"', '\\', 'realm', 'a', '\t', '==', '\u00e9');
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 200 }), (parts) => {
      parseChallenges(parts.join(''));
    }),
  );
  parseChallenges(`Basic ${'a'.repeat(1_000_000)}`);
  parseChallenges(`Basic realm="${'\\'.repeat(1_000_000)}`);
});
