/** A plan in words: why a layer exists. Pure text, at most a line each. */
import type { LayerReason } from './layer-plan.ts';

/** A number of more digits is shown as a power of ten. */
const MAX_DIGITS = 12;

/** One line without a full stop, as long as it needs to be. */
export function describeReason(reason: LayerReason): string {
  switch (reason.kind) {
    case 'popular':
      return `popularity ${describeCount(reason.popularity)}`;
    case 'rest':
      return 'the rest: the budget has no layer for each';
    case 'shared':
      return describeUsers(reason.users);
    case 'pipeline':
      return reason.branch === '' ? 'the whole of the pipeline' : `pipeline: ${reason.branch}`;
    case 'explicit':
      return `given as layers[${reason.index}]`;
    case 'steady':
      return `changes together with ${describePath(reason.around)}`;
    case 'root':
      return 'nothing refers to it: changes with every release';
    case 'kept':
      return `kept: store layer ${reason.place + 1} of the previous image`;
    case 'joined':
      return `${reason.reasons.length} small layers joined: ${describeJoined(reason.reasons)}`;
    default:
      return reason satisfies never;
  }
}

/** The part of a store path that people know it by: `hello-2.12`. */
export function describePath(path: string): string {
  const base = path.slice(path.lastIndexOf('/') + 1);
  const dash = base.indexOf('-');
  return dash === -1 ? base : base.slice(dash + 1);
}

/** A decimal string with its thousands marked, or cut to its first digits: `1,234`, `1.23e45`. */
function describeCount(decimal: string): string {
  if (decimal.length <= MAX_DIGITS) return decimal.replaceAll(/\B(?=(?:\d{3})+$)/g, ',');
  return `${decimal[0]}.${decimal.slice(1, 3)}e${decimal.length - 1}`;
}

function describeUsers(users: readonly string[]): string {
  const [first, second] = users;
  if (first === undefined) return 'no large path needs it';
  if (second === undefined) return `needed by ${describePath(first)}`;
  const last = users.length === 2 ? describePath(second) : `${users.length - 1} more large paths`;
  return `shared by ${describePath(first)} and ${last}`;
}

function describeJoined(reasons: readonly LayerReason[]): string {
  const words = [...new Set(reasons.map((reason) => describeReason(reason)))];
  return words.length <= 2 ? words.join('; ') : `${words[0]}; …; ${words.at(-1)}`;
}
