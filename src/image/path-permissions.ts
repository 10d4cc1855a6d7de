/** `perms` of a description: rules with the store path that they are about. Pure. */
import type { PermissionRule } from '../layer/permissions.ts';
import { encodeCapabilities } from './capabilities.ts';
import type { ImageDescription } from './image-description.ts';

export interface PathPermissions {
  /** Undefined: every path. */
  readonly path: string | undefined;
  readonly rule: PermissionRule;
}

/** The rules that concern any of `paths`, in their order. */
export function permissionsFor(
  paths: readonly string[],
  permissions: readonly PathPermissions[],
): readonly PermissionRule[] {
  return permissions.filter(({ path }) => path === undefined || paths.includes(path)).map(({ rule }) => rule);
}

export function readPermissions({ perms = [] }: ImageDescription): readonly PathPermissions[] {
  return perms.map(({ path, regex = '', mode, uname, gname, capabilities, xattrs, uid, gid }) => {
    const attributes = [...textXattrs(xattrs), ...capabilityXattr(capabilities)];
    return {
      path,
      rule: {
        regex,
        ...(uid === undefined ? {} : { uid }),
        ...(gid === undefined ? {} : { gid }),
        ...(mode === undefined ? {} : { mode: Number.parseInt(mode, 8) }),
        ...(uname === undefined ? {} : { uname: latin1(uname) }),
        ...(gname === undefined ? {} : { gname: latin1(gname) }),
        ...(attributes.length === 0 ? {} : { xattrs: attributes.sort(byName) }),
      },
    };
  });
}

type Attributes = NonNullable<PermissionRule['xattrs']>;

function textXattrs(xattrs: Readonly<Record<string, string>> = {}): Attributes {
  return Object.entries(xattrs).map(([name, value]) => [latin1(name), latin1(value)]);
}

function capabilityXattr(capabilities: string | undefined): Attributes {
  const value = capabilities === undefined ? undefined : encodeCapabilities(capabilities);
  return value === undefined ? [] : [['security.capability', value.toString('latin1')]];
}

function byName([left]: Attributes[number], [right]: Attributes[number]): number {
  return left < right ? -1 : 1;
}

function latin1(text: string): string {
  return Buffer.from(text).toString('latin1');
}
