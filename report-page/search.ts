/** Finds store paths and layers by name: every word must be somewhere in it. */
import { counted } from '../src/report/words.ts';
import { element } from './dom.ts';
import { type PageModel, sizeText } from './page-model.ts';
import type { PageState } from './page-state.ts';

export class Search {
  readonly input = element('input', {
    attributes: {
      type: 'search',
      id: 'search',
      placeholder: 'Search',
      autocomplete: 'off',
      spellcheck: 'false',
      'aria-describedby': 'found',
    },
  });
  readonly status = element('p', { class: 'note', attributes: { id: 'found', role: 'status' } });
  readonly root: HTMLElement;
  readonly #model: PageModel;
  readonly #state: PageState;
  readonly #names: readonly string[];

  constructor(model: PageModel, state: PageState) {
    this.#model = model;
    this.#state = state;
    this.#names = model.paths.map(({ name }) => name.toLowerCase());
    const what = model.paths.length === 0 ? 'Search layers by name' : 'Search store paths by name or hash';
    const label = element('label', { class: 'visually-hidden', text: what, attributes: { for: 'search' } });
    this.input.placeholder = what;
    this.root = element('div', { class: 'search', attributes: { role: 'search' } }, [
      label,
      this.input,
      this.status,
    ]);
    this.input.addEventListener('input', () => this.#find());
    state.listen(({ found }, before) => {
      if (found !== before.found) this.#report(found);
    });
    document.addEventListener('keydown', (event) => this.#onKey(event));
  }

  find(text: string): void {
    this.input.value = text;
    this.#find();
  }

  #find(): void {
    const words = this.input.value.toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length === 0) return this.#state.change({ found: undefined, foundLayers: new Set() });
    const matches = (text: string): boolean => words.every((word) => text.includes(word));
    const found = new Set([...this.#names.keys()].filter((path) => matches(this.#names[path]!)));
    const { layers } = this.#model;
    // A layer is called by its paths, which are found themselves.
    const isFound = (layer: number): boolean =>
      layers[layer]!.paths.length === 0
        ? matches(layers[layer]!.label.toLowerCase())
        : layers[layer]!.paths.some((path) => found.has(path));
    this.#state.change({ found, foundLayers: new Set([...layers.keys()].filter(isFound)) });
  }

  #report(found: ReadonlySet<number> | undefined): void {
    this.status.textContent = found === undefined ? '' : this.#describe(found);
    if (found === undefined) return;
    const clear = element('button', {
      class: 'link',
      text: 'Clear',
      attributes: { type: 'button' },
      onClick: () => {
        this.find('');
        this.input.focus();
      },
    });
    this.status.append(' ', clear);
  }

  #describe(found: ReadonlySet<number>): string {
    const { paths, layers } = this.#model;
    const { foundLayers } = this.#state.now;
    if (paths.length === 0) return `${foundLayers.size} of ${counted(layers.length, 'layer')}`;
    const sizes = Array.from(found, (path) => paths[path]!.size);
    const size = sizes.includes(undefined)
      ? ''
      : `, ${sizeText(sizes.reduce<number>((sum, one) => sum + (one ?? 0), 0))}`;
    return `${found.size} of ${counted(paths.length, 'store path')}${size}`;
  }

  /** `/`, as on many pages of code. */
  #onKey(event: KeyboardEvent): void {
    const isTyping = event.target instanceof HTMLElement && event.target.matches('input, textarea');
    if (event.key !== '/' || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.input.focus();
  }
}
