/** Writes NARs for tests; well-formed or not is up to the caller. */

/** Names, targets and contents are latin1. */
export type Node =
  | { readonly kind: 'file'; readonly contents: string | Uint8Array; readonly executable?: boolean }
  | { readonly kind: 'symlink'; readonly target: string }
  | { readonly kind: 'directory'; readonly entries: readonly (readonly [name: string, node: Node])[] };

export function file(contents: string | Uint8Array, executable = false): Node {
  return { kind: 'file', contents, executable };
}

/** In the order given. */
export function directory(...entries: readonly (readonly [name: string, node: Node])[]): Node {
  return { kind: 'directory', entries };
}

export function symlink(target: string): Node {
  return { kind: 'symlink', target };
}

export function writeNar(node: Node): Buffer {
  return tokens('nix-archive-1', ...nodeTokens(node));
}

export function tokens(...all: readonly (string | Uint8Array)[]): Buffer {
  return Buffer.concat(all.map(token));
}

/** Length, bytes, zeros up to a multiple of 8. */
function token(text: string | Uint8Array): Buffer {
  const body = typeof text === 'string' ? Buffer.from(text, 'latin1') : text;
  const bytes = Buffer.alloc(8 + Math.ceil(body.length / 8) * 8);
  bytes.writeBigUInt64LE(BigInt(body.length));
  bytes.set(body, 8);
  return bytes;
}

function nodeTokens(node: Node): readonly (string | Uint8Array)[] {
  return ['(', 'type', ...typeTokens(node), ')'];
}

function typeTokens(node: Node): readonly (string | Uint8Array)[] {
  if (node.kind === 'symlink') return ['symlink', 'target', node.target];
  if (node.kind === 'file')
    return ['regular', ...(node.executable ? ['executable', ''] : []), 'contents', node.contents];
  return [
    'directory',
    ...node.entries.flatMap(([name, child]) => [
      'entry',
      '(',
      'name',
      name,
      'node',
      ...nodeTokens(child),
      ')',
    ]),
  ];
}
