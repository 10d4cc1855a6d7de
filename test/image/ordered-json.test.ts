import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { inOrderOf, parseOrderedJson, printLikePython } from '../../src/image/ordered-json.ts';
import { parsePythonDate } from '../../src/image/python-date.ts';
import { wholeArchiveCases } from '../support/golden.ts';

test('documents that the reference printed come out as they went in', () => {
  for (const { name, expected } of wholeArchiveCases()) {
    for (const text of [expected.config, expected.manifest])
      if (text !== undefined) assert.equal(printLikePython(parseOrderedJson(text)), text, name);
  }
});

test('reads what JSON.parse reads, and refuses what it refuses', () => {
  fc.assert(
    fc.property(fc.oneof(fc.json(), fc.string(), mangledJson()), (text) => {
      assert.deepEqual(
        outcome(() => printLikePython(parseOrderedJson(text))) !== undefined,
        isJson(text),
        text,
      );
    }),
    { numRuns: 2000 },
  );
});

test('what is printed has the same value', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      const expected: unknown = JSON.parse(text);
      assert.deepEqual(JSON.parse(printLikePython(parseOrderedJson(text))), withoutNegativeZero(expected));
    }),
  );
});

test('floating point numbers as repr prints them', () => {
  const printed = (source: string): string => printLikePython(parseOrderedJson(source));
  assert.deepEqual(
    ['1e3', '1e15', '1e16', '123456789012345678.5', '1e-4', '1.25e-5', '-0.0', '5e-324', '0.1', '1.5'].map(
      printed,
    ),
    [
      '1000.0',
      '1000000000000000.0',
      '1e+16',
      '1.2345678901234568e+17',
      '0.0001',
      '1.25e-05',
      '-0.0',
      '5e-324',
      '0.1',
      '1.5',
    ],
  );
});

test('nesting has an end', () => {
  assert.throws(() => parseOrderedJson('['.repeat(100_000)), SyntaxError);
});

test("dates as Python's datetime reads and prints them", () => {
  const read = (text: string): readonly [string, number] => {
    const { text: printed, seconds } = parsePythonDate(text);
    return [printed, seconds];
  };
  assert.deepEqual(read('1970-01-01T00:00:01Z'), ['1970-01-01T00:00:01+00:00', 1]);
  assert.deepEqual(read('2024-05-06T07:08:09+02:00'), ['2024-05-06T07:08:09+02:00', 1_714_972_089]);
  assert.deepEqual(read('1999-12-31T23:59:59.999-0030'), ['1999-12-31T23:59:59.999000-00:30', 946_686_599]);
  assert.deepEqual(read('2024-05-06'), ['2024-05-06T00:00:00', 1_714_953_600]);
  assert.deepEqual(read('1969-12-31T23:59:59.5Z'), ['1969-12-31T23:59:59.500000+00:00', -0]);
  for (const text of ['now', '', '2024', '2024-13-01', '2024-01-01T25:00:00'])
    assert.throws(() => read(text), RangeError);
});

function mangledJson(): fc.Arbitrary<string> {
  return fc
    .tuple(fc.json(), fc.nat(), fc.constantFrom('', ',', '}', '"', '\\', '0', '-', 'e', ' ', '\u0001'))
    .map(([text, at, inserted]) => {
      const place = at % (text.length + 1);
      return text.slice(0, place) + inserted + text.slice(place + 1);
    });
}

function isJson(text: string): boolean {
  return outcome(() => JSON.stringify(JSON.parse(text))) !== undefined;
}

function outcome<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    assert.ok(error instanceof SyntaxError);
    return undefined;
  }
}

/** Python reads the integer -0 as 0. */
function withoutNegativeZero(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

test("one value in another one's order: values stay, and keys that the other lacks come last", () => {
  const reorder = (value: string, like: string): string =>
    printLikePython(inOrderOf(parseOrderedJson(value), parseOrderedJson(like))).replaceAll(/\s+/g, '');
  assert.equal(reorder('{"1":1,"b":2,"c":3}', '{"b":0,"x":0,"1":0}'), '{"b":2,"1":1,"c":3}');
  assert.equal(reorder('{"a":{"1":1,"z":2}}', '{"a":{"z":0,"1":0}}'), '{"a":{"z":2,"1":1}}');
  assert.equal(reorder('[{"1":1,"z":2},3]', '[{"z":0,"1":0}]'), '[{"z":2,"1":1},3]');
  assert.equal(reorder('{"a":1,"__proto__":[]}', '{"__proto__":{},"a":{}}'), '{"__proto__":[],"a":1}');
  assert.equal(reorder('{"a":1}', 'null'), '{"a":1}');
});
