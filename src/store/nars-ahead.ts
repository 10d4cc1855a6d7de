/** Asks for the next NARs while one is read, so that a cache's latency is waited for once and not for each NAR. */
import { askForNar, forgetNar, type RemoteSource } from './fetch-nar.ts';
import { keptNar } from './kept-nar.ts';
import type { TreeSource } from './tree.ts';

/** Connections of a thread that has as many workers beside it as there are processors. */
const AHEAD = 6;

export class NarsAhead implements AsyncDisposable {
  /** In the order in which they will be read. */
  readonly #waiting: RemoteSource[];
  readonly #asked: RemoteSource[] = [];

  /** @param sources in the order in which they are read, each once */
  constructor(sources: readonly TreeSource[]) {
    this.#waiting = sources.filter(isFetched);
  }

  /** Called before a source is read. */
  reach(source: TreeSource): void {
    const at = this.#asked.findIndex((asked) => asked === source);
    if (at !== -1) this.#asked.splice(at, 1);
    else if (this.#waiting[0] === source) this.#waiting.shift();
    while (this.#asked.length < AHEAD) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      askForNar(next);
      this.#asked.push(next);
    }
  }

  /** Gives up what was asked for and not reached. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#asked.splice(0).map(forgetNar));
  }
}

function isFetched(source: TreeSource): source is RemoteSource {
  if (source.kind !== 'nar' || source.remote === undefined) return false;
  return source.remote.keep === undefined || keptNar(source.remote.keep) === undefined;
}
