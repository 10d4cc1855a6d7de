/** What a server demands before it answers. @see RFC 9110, section 11.6.1 and 11.2, "auth-param" */

export interface Challenge {
  /** In lower case: `basic`, `bearer`. */
  readonly scheme: string;
  /** Names in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const PARAMETER = new RegExp(
  `^(${TOKEN})[ \\t]*=[ \\t]*(?:(${TOKEN}(?=[ \\t]*(?:,|$)))|"((?:[^"\\\\]|\\\\.)*)")`,
);
const SCHEME = new RegExp(`^(${TOKEN})(?:[ \\t]+|(?=,|$))`);
/** A credential in the old form, which challenges of the schemes that we know never have. */
const TOKEN68 = /^[A-Za-z0-9._~+/-]+=*[ \t]*(?=,|$)/;
const SEPARATORS = /^[ \t,]+/;
/** More than any server has to say. */
const MAX_LENGTH = 16 * 1024;

/**
 * The challenges of a `WWW-Authenticate` header, in their order. What cannot be understood ends the list.
 * @param header several headers of the name joined by commas; undefined: there was none
 */
export function parseChallenges(header: string | undefined): readonly Challenge[] {
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  let rest = (header ?? '').slice(0, MAX_LENGTH);
  while (rest !== '') {
    const taken = SEPARATORS.exec(rest) ?? takeParameter(rest, challenges) ?? takeScheme(rest, challenges);
    if (taken === null) break;
    rest = rest.slice(taken[0].length);
  }
  return challenges;
}

function takeParameter(
  text: string,
  challenges: readonly { readonly parameters: Map<string, string> }[],
): RegExpExecArray | null {
  const last = challenges.at(-1);
  if (last === undefined) return null;
  const found = PARAMETER.exec(text);
  if (found === null) return last.parameters.size === 0 ? TOKEN68.exec(text) : null;
  const [, name = '', plain, quoted = ''] = found;
  last.parameters.set(name.toLowerCase(), plain ?? quoted.replaceAll(/\\(.)/g, '$1'));
  return found;
}

function takeScheme(
  text: string,
  challenges: { scheme: string; parameters: Map<string, string> }[],
): RegExpExecArray | null {
  const found = SCHEME.exec(text);
  if (found !== null) challenges.push({ scheme: (found[1] as string).toLowerCase(), parameters: new Map() });
  return found;
}
