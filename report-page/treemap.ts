/**
 * The treemap: a tree of layers and their store paths, for eyes as rectangles, for keyboards and screen readers as a tree.
 *
 * Keys: up and down go through what is there, the largest first; right goes into a layer, left back to it; Enter selects; Escape shows
 * all layers again. One element of the tree is in the page's order of tabs.
 *
 * @see WAI-ARIA Authoring Practices, "Tree View Pattern"
 */
import { percent } from '../src/report/words.ts';
import { element } from './dom.ts';
import { type PageModel, shortName, sizeText, STATE_WORDS } from './page-model.ts';
import { isSame, type PageState, type Selection, type State } from './page-state.ts';
import { type CellRectangle, layOut, type LayerRectangle, type Rectangle } from './treemap-layout.ts';

/** Pixels from which on a label can be read. */
const LABEL_WIDTH = 44;
const LABEL_HEIGHT = 17;
const SECOND_LINE_HEIGHT = 34;
const LARGE = 90;

interface Item {
  readonly selection: Selection;
  readonly text: string;
  /** Of a store path. */
  readonly layer: HTMLElement | undefined;
}

export class Treemap {
  readonly root: HTMLElement;
  readonly #model: PageModel;
  readonly #state: PageState;
  readonly #readout: HTMLElement;
  readonly #items = new Map<HTMLElement, Item>();
  #shape = '';
  #current: HTMLElement | undefined;

  constructor(
    model: PageModel,
    { state, readout }: { readonly state: PageState; readonly readout: HTMLElement },
  ) {
    this.#model = model;
    this.#state = state;
    this.#readout = readout;
    this.root = element('div', {
      class: 'treemap',
      attributes: { role: 'tree', 'aria-labelledby': 'map-title' },
    });
    this.root.classList.toggle('compared', model.isCompared);
    this.root.addEventListener('click', (event) => this.#onClick(event));
    this.root.addEventListener('dblclick', (event) => this.#onDoubleClick(event));
    this.root.addEventListener('keydown', (event) => this.#onKey(event));
    this.root.addEventListener('focusin', (event) => this.#onFocus(event));
    this.root.addEventListener('pointerover', (event) => this.#read(this.#itemAt(event.target)));
    this.root.addEventListener('pointerleave', () => this.#read(undefined));
    state.listen((now, before) => this.#onState(now, before));
    new ResizeObserver(() => this.draw()).observe(this.root);
  }

  /** Does nothing while its size and what fills it are the same. */
  draw(): void {
    const { clientWidth: width, clientHeight: height } = this.root;
    const { zoom: only } = this.#state.now;
    const shape = `${width} ${height} ${only}`;
    if (width === 0 || height === 0 || shape === this.#shape) return;
    this.#shape = shape;
    const hadFocus = this.root.contains(document.activeElement);
    const focused = this.#current === undefined ? undefined : this.#items.get(this.#current)?.selection;
    this.#items.clear();
    const frame: Rectangle = { x: 0, y: 0, width, height };
    const drawn = layOut(this.#model, { width, height, only }).map((layer) => this.#drawLayer(layer, frame));
    this.root.replaceChildren(...drawn);
    this.#setCurrent(this.#find(focused) ?? this.#items.keys().next().value);
    if (hadFocus) this.#current?.focus();
    this.#mark(this.#state.now);
  }

  #drawLayer(layer: LayerRectangle, frame: Rectangle): HTMLElement {
    const { label, state, kind } = this.#model.layers[layer.layer]!;
    const isLeaf = layer.cells.length === 0;
    const text = this.#describe(`Layer ${layer.layer + 1}: ${label}`, { size: layer.size, state });
    const drawn = element('div', {
      class: `layer ${kind} hue-${layer.layer % HUES}`,
      attributes: {
        role: 'treeitem',
        tabindex: -1,
        'aria-label': text,
        'aria-selected': 'false',
        'aria-expanded': isLeaf ? undefined : 'true',
        'data-layer': layer.layer,
      },
    });
    place(drawn, layer, frame);
    this.#items.set(drawn, { selection: { kind: 'layer', layer: layer.layer }, text, layer: undefined });
    if (isLeaf)
      drawn.append(cellOf(layer, { name: label, note: sizeText(layer.size), state: state ?? 'none' }));
    else
      drawn.append(
        element('div', { class: 'group', attributes: { role: 'group' } }, this.#drawCells(layer, drawn)),
      );
    return drawn;
  }

  #drawCells(layer: LayerRectangle, drawn: HTMLElement): HTMLElement[] {
    return layer.cells.map((cell) => {
      const info = cell.path === undefined ? undefined : this.#model.paths[cell.path]!;
      const layerState = this.#model.layers[layer.layer]!.state;
      const name = info === undefined ? 'other files' : shortName(info);
      const state = info?.state ?? layerState;
      const made = cellOf(cell, { name, note: sizeText(cell.size), state: state ?? 'none' });
      place(made, cell, layer);
      const text = this.#describe(name, { size: cell.size, state, layer: layer.layer });
      const attributes = { role: 'treeitem', tabindex: '-1', 'aria-label': text, 'aria-selected': 'false' };
      for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
      if (cell.path !== undefined) made.dataset['path'] = String(cell.path);
      const selection: Selection =
        cell.path === undefined ? { kind: 'layer', layer: layer.layer } : { kind: 'path', path: cell.path };
      this.#items.set(made, { selection, text, layer: drawn });
      return made;
    });
  }

  #describe(
    name: string,
    {
      size,
      state,
      layer,
    }: {
      readonly size: number;
      readonly state: keyof typeof STATE_WORDS | undefined;
      readonly layer?: number;
    },
  ): string {
    const share = percent(size, this.#model.total);
    const parts = [name, sizeText(size), share, ...(layer === undefined ? [] : [`layer ${layer + 1}`])];
    return [...parts, ...(state === undefined ? [] : [STATE_WORDS[state]])].join(', ');
  }

  #onClick({ target }: MouseEvent): void {
    const item = this.#itemAt(target);
    if (item === undefined) return;
    this.#setCurrent(item);
    item.focus({ preventScroll: true });
    this.#state.select(this.#items.get(item)?.selection);
  }

  #onDoubleClick({ target }: MouseEvent): void {
    const item = this.#itemAt(target);
    const layer = item && (this.#items.get(item)?.layer ?? item).dataset['layer'];
    const { zoom } = this.#state.now;
    if (layer !== undefined) this.#state.change({ zoom: zoom === undefined ? Number(layer) : undefined });
  }

  #onKey(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey || this.#current === undefined) return;
    if (event.key === 'Escape' && this.#state.now.zoom === undefined) return;
    const act = this.#actions(this.#current)[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  }

  #actions(current: HTMLElement): Readonly<Record<string, () => void>> {
    const all = [...this.#items.keys()];
    const at = all.indexOf(current);
    const go = (to: HTMLElement | undefined): void => {
      if (to === undefined) return;
      this.#setCurrent(to);
      to.focus();
    };
    const select = (): void => this.#state.select(this.#items.get(current)?.selection);
    return {
      ArrowDown: () => go(all[at + 1]),
      ArrowUp: () => go(all[at - 1]),
      ArrowRight: () =>
        go(this.#items.get(all[at + 1] ?? current)?.layer === current ? all[at + 1] : undefined),
      ArrowLeft: () => go(this.#items.get(current)?.layer),
      Home: () => go(all[0]),
      End: () => go(all.at(-1)),
      Enter: select,
      ' ': select,
      Escape: () => this.#state.change({ zoom: undefined }),
    };
  }

  #onFocus({ target }: FocusEvent): void {
    const item = this.#itemAt(target);
    if (item !== undefined) this.#setCurrent(item);
    this.#read(item);
  }

  #onState(now: State, before: State): void {
    if (now.zoom !== before.zoom) this.draw();
    if (!isSame(now.selection, before.selection))
      this.#setCurrent(this.#find(now.selection) ?? this.#current);
    this.#mark(now);
  }

  #mark({ selection, found, foundLayers }: State): void {
    this.root.classList.toggle('filtered', found !== undefined);
    for (const [drawn, { selection: own }] of this.#items) {
      drawn.setAttribute('aria-selected', String(isSame(own, selection)));
      const isFound = own.kind === 'path' ? found?.has(own.path) : foundLayers.has(own.layer);
      drawn.classList.toggle('found', isFound === true);
    }
  }

  #setCurrent(item: HTMLElement | undefined): void {
    this.#current?.setAttribute('tabindex', '-1');
    item?.setAttribute('tabindex', '0');
    this.#current = item;
  }

  #find(selection: Selection | undefined): HTMLElement | undefined {
    if (selection === undefined) return undefined;
    return [...this.#items].find(([, item]) => isSame(item.selection, selection))?.[0];
  }

  #read(item: HTMLElement | undefined): void {
    this.#readout.textContent =
      item === undefined ? '' : (this.#items.get(item)?.text.replaceAll(', ', ' · ') ?? '');
  }

  #itemAt(target: EventTarget | null): HTMLElement | undefined {
    return target instanceof Element
      ? (target.closest<HTMLElement>('[role=treeitem]') ?? undefined)
      : undefined;
  }
}

/** Layers next to each other in the image have different colours; the style has as many. */
const HUES = 6;

function cellOf(
  { width, height }: Rectangle | CellRectangle,
  { name, note, state }: { readonly name: string; readonly note: string; readonly state: string },
): HTMLElement {
  const isLabelled = width >= LABEL_WIDTH && height >= LABEL_HEIGHT;
  const hasNote = isLabelled && height >= SECOND_LINE_HEIGHT;
  const isLarge = width >= 2 * LARGE && height >= LARGE;
  // By the style, not as text: the name of the tree's item says it already, and thousands of elements are saved.
  return element('div', {
    class: `cell fill-${state}${isLarge ? ' large' : ''}`,
    attributes: { 'data-label': isLabelled ? name : undefined, 'data-size': hasNote ? note : undefined },
  });
}

/** As parts of what is around it, so that the map keeps its shape when it is printed. */
function place(drawn: HTMLElement, { x, y, width, height }: Rectangle, around: Rectangle): void {
  const part = (length: number, whole: number): string => `${(length / whole) * 100}%`;
  drawn.style.left = part(x - around.x, around.width);
  drawn.style.top = part(y - around.y, around.height);
  drawn.style.width = part(width, around.width);
  drawn.style.height = part(height, around.height);
}
