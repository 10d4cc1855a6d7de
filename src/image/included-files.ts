/**
 * Named helpers that many images need, as nixpkgs' dockerTools has them (fakeNss, binSh, usrBinEnv, caCertificates). Pure.
 *
 * A helper is written `NAME`, or `NAME=PATH` where it links to a store path.
 */
import { PhylloError } from '../errors.ts';

/** What a helper puts into the image; directories on the way are made. */
export type IncludedFile =
  | { readonly kind: 'directory'; readonly path: string; readonly mode: number }
  | { readonly kind: 'file'; readonly path: string; readonly text: string }
  | { readonly kind: 'symlink'; readonly path: string; readonly target: string };

const CA_BUNDLE_PLACES = [
  'etc/ssl/certs/ca-bundle.crt',
  'etc/ssl/certs/ca-certificates.crt',
  'etc/pki/tls/certs/ca-bundle.crt',
];

const PLAIN: Readonly<Record<string, readonly IncludedFile[]>> = {
  tmp: [{ kind: 'directory', path: 'tmp', mode: 0o1777 }],
  nss: [
    {
      kind: 'file',
      path: 'etc/passwd',
      text: 'root:x:0:0:root user:/var/empty:/bin/sh\nnobody:x:65534:65534:nobody:/var/empty:/bin/sh\n',
    },
    { kind: 'file', path: 'etc/group', text: 'root:x:0:\nnobody:x:65534:\n' },
    { kind: 'file', path: 'etc/nsswitch.conf', text: 'hosts: files dns\n' },
    { kind: 'directory', path: 'var/empty', mode: 0o755 },
  ],
};

interface Linked {
  /** Where the links are. */
  readonly links: readonly string[];
  /** What they lead to in the store path. */
  readonly file: string;
}

const LINKED: Readonly<Record<string, Linked>> = {
  'bin-sh': { links: ['bin/sh'], file: 'bin/sh' },
  'usr-bin-env': { links: ['usr/bin/env'], file: 'bin/env' },
  'ca-certificates': { links: CA_BUNDLE_PLACES, file: 'etc/ssl/certs/ca-bundle.crt' },
};

/** @throws PhylloError IMAGE_INVALID, which lists every helper that is wrong */
export function includedFiles(include: readonly string[]): readonly IncludedFile[] {
  const files = include.map(filesOf);
  const wrong = include.filter((_, i) => files[i] === undefined);
  if (wrong.length === 0) return files.flatMap((found) => found ?? []);
  const names = [...Object.keys(PLAIN), ...Object.keys(LINKED).map((name) => `${name}=PATH`)];
  throw new PhylloError(
    'IMAGE_INVALID',
    `include: not a helper: ${wrong.map((text) => JSON.stringify(text)).join(', ')}`,
    {
      hint: `helpers are ${names.join(', ')}`,
    },
  );
}

function filesOf(text: string): readonly IncludedFile[] | undefined {
  const [, name, path] = /^([\w-]+)(?:=(\/.*))?$/s.exec(text) ?? [];
  if (name === undefined) return undefined;
  if (path === undefined) return Object.hasOwn(PLAIN, name) ? PLAIN[name] : undefined;
  const linked = Object.hasOwn(LINKED, name) ? LINKED[name] : undefined;
  return linked?.links.map((link) => ({ kind: 'symlink', path: link, target: targetOf(path, linked.file) }));
}

/** A store path has the file at its usual place; a path that goes on below it is the file itself. */
function targetOf(path: string, file: string): string {
  return /\/[0-9a-z]{32}-[^/]+\/./.test(path) ? path : `${path.replace(/\/$/, '')}/${file}`;
}
