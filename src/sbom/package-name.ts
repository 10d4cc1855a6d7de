/**
 * What a store path's name says of the package in it.
 *
 * The version begins after the first dash that no letter follows (`builtins.parseDrvName`). Nixpkgs' outputs other than `out` add a
 * dash and their names: those that it commonly has are taken off the version; any other word there may belong to the version.
 *
 * @see Nix manual, "builtins.parseDrvName"; nixpkgs manual, "Multiple-output packages"
 */
export interface PackageName {
  /** Never empty. */
  readonly name: string;
  /** Undefined when the name has none. */
  readonly version: string | undefined;
  /** Undefined for `out`, and where there is no version that it could follow. */
  readonly output: string | undefined;
}

const OUTPUTS = new Set(
  'bin dev lib static doc devdoc man devman info debug dist data getent libgcc modules terminfo'.split(' '),
);

/** @param text a store path's name, without its hash: `openssl-3.0.13-bin` */
export function parsePackageName(text: string): PackageName {
  const dash = text.search(/(?!^)-[^a-zA-Z]/);
  if (dash === -1) return { name: text, version: undefined, output: undefined };
  const name = text.slice(0, dash);
  const version = text.slice(dash + 1);
  const end = version.lastIndexOf('-');
  const output = version.slice(end + 1);
  if (end < 1 || !OUTPUTS.has(output)) return { name, version, output: undefined };
  return { name, version: version.slice(0, end), output };
}
