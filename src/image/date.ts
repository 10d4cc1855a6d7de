/**
 * Dates as dockerTools' users write them, where GNU date reads them: with or without dashes, a time and a zone, or `@SECONDS` since 1970.
 * So the first eight digits of a flake's `lastModifiedDate` are one, and so is the whole of it.
 */
import { z } from 'zod';

const DATE = /^(\d{4})(-?)(\d\d)\2(\d\d)(?:[T ]?(\d\d):?(\d\d)(?::?(\d\d)(\.\d+)?)? ?(Z|[+-]\d\d:?\d\d)?)?$/i;
const SECONDS = /^@(\d{1,12})$/;

const rfc3339 = z.iso.datetime({ offset: true });

/** RFC 3339, with the zone that is given, or in UTC; undefined for what is no date. */
export function parseDate(text: string): string | undefined {
  const [, seconds] = SECONDS.exec(text) ?? [];
  const date = seconds === undefined ? calendarDate(text) : dateOfSeconds(Number(seconds));
  return rfc3339.safeParse(date).success ? date : undefined;
}

function dateOfSeconds(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}

function calendarDate(text: string): string | undefined {
  const parts = DATE.exec(text);
  if (parts === null) return undefined;
  const [, year, , month, day, hours = '00', minutes = '00', seconds = '00', fraction = '', zone = 'Z'] =
    parts;
  return `${year}-${month}-${day}T${hours}:${minutes}:${seconds}${fraction}${withColon(zone)}`;
}

function withColon(zone: string): string {
  return zone.toUpperCase().replace(/^([+-]\d\d):?(\d\d)$/, '$1:$2');
}
