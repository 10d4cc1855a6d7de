/** New store paths of a few bytes, in the closure's store. */
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Closure } from './support.ts';

/** Store paths of one name that nobody has seen before: each as if the last one had been changed. */
export class FreshPaths {
  readonly #nix: readonly string[];
  readonly #env: NodeJS.ProcessEnv;
  readonly #directory: string;
  readonly #added: string[] = [];

  constructor({ root, env }: Closure, directory: string) {
    this.#nix = root === '' ? [] : ['--store', root];
    this.#env = { ...process.env, ...env };
    this.#directory = join(directory, 'fresh');
    mkdirSync(this.#directory);
  }

  add(): string {
    const file = join(this.#directory, String(this.#added.length), 'fresh');
    mkdirSync(file, { recursive: true });
    writeFileSync(join(file, 'text'), `${randomUUID()}\n`);
    const path = this.#nixStore(['--add', file]).trim();
    this.#added.push(path);
    return path;
  }

  remove(): void {
    if (this.#added.length > 0) this.#nixStore(['--delete', ...this.#added]);
  }

  #nixStore(args: readonly string[]): string {
    return execFileSync('nix-store', [...this.#nix, ...args], {
      encoding: 'utf8',
      env: this.#env,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  }
}
