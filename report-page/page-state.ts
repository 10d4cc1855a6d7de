/** What the parts of the page have in common: what is selected, what is found, what fills the map. */

export type Selection =
  { readonly kind: 'path'; readonly path: number } | { readonly kind: 'layer'; readonly layer: number };

export interface State {
  readonly selection: Selection | undefined;
  /** Paths to point out; undefined: all alike. */
  readonly found: ReadonlySet<number> | undefined;
  /** Layers to point out, with `found`. */
  readonly foundLayers: ReadonlySet<number>;
  /** The layer that fills the map; undefined: all. */
  readonly zoom: number | undefined;
}

type Listener = (state: State, before: State) => void;

export class PageState {
  #state: State = { selection: undefined, found: undefined, foundLayers: new Set(), zoom: undefined };
  readonly #listeners: Listener[] = [];

  get now(): State {
    return this.#state;
  }

  /** Called after each change, in the order in which they came. */
  listen(listener: Listener): void {
    this.#listeners.push(listener);
  }

  change(changes: Partial<State>): void {
    const before = this.#state;
    this.#state = { ...before, ...changes };
    for (const listener of this.#listeners) listener(this.#state, before);
  }

  select(selection: Selection | undefined): void {
    this.change({ selection });
  }
}

export function isSame(a: Selection | undefined, b: Selection | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  if (a.kind === 'path') return b.kind === 'path' && a.path === b.path;
  return b.kind === 'layer' && a.layer === b.layer;
}
