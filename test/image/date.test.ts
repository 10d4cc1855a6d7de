import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDate } from '../../src/image/date.ts';

const VALID: Readonly<Record<string, string>> = {
  '1970-01-01T00:00:01Z': '1970-01-01T00:00:01Z',
  '2001-02-03T04:05:06.789+02:00': '2001-02-03T04:05:06.789+02:00',
  '2001-02-03 04:05:06 -0330': '2001-02-03T04:05:06-03:30',
  '2001-02-03T04:05:06': '2001-02-03T04:05:06Z',
  '2001-02-03 04:05': '2001-02-03T04:05:00Z',
  '2001-02-03': '2001-02-03T00:00:00Z',
  '20010203': '2001-02-03T00:00:00Z',
  '20010203040506': '2001-02-03T04:05:06Z',
  '20010203T040506Z': '2001-02-03T04:05:06Z',
  '@0': '1970-01-01T00:00:00Z',
  '@981173106': '2001-02-03T04:05:06Z',
};

for (const [text, expected] of Object.entries(VALID))
  test(`a date: ${text}`, () => assert.equal(parseDate(text), expected));

for (const text of [
  ...['', 'now', 'yesterday', '2001', '2001-02', '2001-02-30', '2001-0203', '200102'],
  ...['2001-02-03T25:00:00Z', '2001-02-03T04:05:06+99:00', '@', '@1.5', '@999999999999', '981173106'],
])
  test(`no date: ${JSON.stringify(text)}`, () => assert.equal(parseDate(text), undefined));
