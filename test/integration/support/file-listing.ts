/** What is below a directory, in a form that two trees can be compared in. */
import { createHash } from 'node:crypto';
import { lstatSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';

/** Relative path (bytes as latin1), kind and mode, then content: a link's target or a file's sha256. Ascending by path. */
export type FileListing = readonly string[];

/** `path` itself (as `.`) and everything below it. */
export function listFiles(path: string): FileListing {
  return [...entries(Buffer.from(path), '.')];
}

function* entries(path: Buffer, name: string): Generator<string> {
  const status = lstatSync(path);
  const mode = (status.mode & 0o7777).toString(8);
  if (status.isSymbolicLink()) {
    yield `${name} link ${readlinkSync(path, 'latin1')}`;
  } else if (status.isDirectory()) {
    yield `${name} directory ${mode}`;
    for (const child of readdirSync(path, 'latin1').sort())
      yield* entries(Buffer.concat([path, Buffer.from(`/${child}`, 'latin1')]), `${name}/${child}`);
  } else {
    yield `${name} file ${mode} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`;
  }
}
