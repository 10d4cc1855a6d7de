/** Modes, owners and extended attributes that an image's description gives to some of its files, as a tar is written. */
import type { TarMember, TarOwnership } from './tar-member.ts';

/** What is not given stays as it is. Plain data. */
export interface PermissionRule {
  /** JavaScript's syntax; matched anywhere in the absolute path in the image, which has no slash at its end. */
  readonly regex: string;
  /** 0 to 0o7777; a symlink's stays 0777. */
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** latin1 string of UTF-8 bytes. */
  readonly uname?: string;
  /** latin1 string of UTF-8 bytes. */
  readonly gname?: string;
  /** Of files alone: name and value (latin1 string of bytes), in the order of the tar. */
  readonly xattrs?: readonly Xattr[];
}

export type Xattr = readonly [name: string, value: string];

export interface PermittedMember {
  readonly member: TarMember;
  readonly ownership: TarOwnership;
}

/** Where several rules match, all apply, and the later one wins in what both give. */
export function permissionsOf(
  rules: readonly PermissionRule[],
  ownership: TarOwnership,
): (member: TarMember) => PermittedMember {
  if (rules.length === 0) return (member) => ({ member, ownership });
  const find = matcherOf(rules);
  // The same owner as one object: what is computed once for each owner stays that.
  const owners = new Map<string, TarOwnership>();
  return (member) => {
    const found = find(member.name);
    if (found === undefined) return { member, ownership };
    const owner = ownerOf(found, ownership);
    const key = JSON.stringify(owner);
    if (!owners.has(key)) owners.set(key, owner);
    return { member: permittedMember(member, found), ownership: owners.get(key) as TarOwnership };
  };
}

/** The union of the rules that match a member's name, undefined when none does. */
export function matcherOf(
  rules: readonly PermissionRule[],
): (name: string) => Omit<PermissionRule, 'regex'> | undefined {
  const compiled = rules.map((rule) => ({ rule, pattern: new RegExp(rule.regex) }));
  return (name) => {
    const path = Buffer.from(name.replace(/^\./, '').replace(/(.)\/$/, '$1'), 'latin1').toString();
    const matching = compiled.filter(({ pattern }) => pattern.test(path));
    if (matching.length === 0) return undefined;
    return matching.reduce<Omit<PermissionRule, 'regex'>>((union, { rule }) => ({ ...union, ...rule }), {});
  };
}

/** With the rule's mode and extended attributes. */
export function permittedMember<Member extends TarMember>(
  member: Member,
  { mode, xattrs }: Omit<PermissionRule, 'regex'>,
): Member {
  if (member.kind === 'symlink') return member;
  return {
    ...member,
    mode: mode ?? member.mode,
    ...(xattrs === undefined || member.kind !== 'file' ? {} : { xattrs }),
  };
}

function ownerOf(
  { uid, gid, uname, gname }: Omit<PermissionRule, 'regex'>,
  ownership: TarOwnership,
): TarOwnership {
  return {
    mtimeSeconds: ownership.mtimeSeconds,
    uid: uid ?? ownership.uid,
    gid: gid ?? ownership.gid,
    uname: uname ?? ownership.uname,
    gname: gname ?? ownership.gname,
  };
}
