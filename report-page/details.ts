/** What is selected, in words: a store path and why it is there, or a layer. */
import { percent, counted } from '../src/report/words.ts';
import { byId, element, linkButton } from './dom.ts';
import {
  chainTo,
  closureOf,
  hashOf,
  type PageModel,
  shortName,
  sizeText,
  STATE_WORDS,
} from './page-model.ts';
import type { PageState, State } from './page-state.ts';

/** Lists beyond this are folded away. */
const SHOWN = 12;

export class Details {
  readonly root = element('aside', {
    class: 'details',
    attributes: { id: 'details', 'aria-label': 'Details', tabindex: -1 },
  });
  readonly #model: PageModel;
  readonly #state: PageState;

  constructor(model: PageModel, state: PageState) {
    this.#model = model;
    this.#state = state;
    state.listen((now) => this.#show(now));
    this.#show(state.now);
  }

  #show({ selection, zoom }: State): void {
    const shown =
      selection === undefined
        ? this.#overview()
        : selection.kind === 'path'
          ? this.#path(selection.path)
          : this.#layer(selection.layer, zoom);
    this.root.replaceChildren(...shown);
  }

  #overview(): Node[] {
    const { paths, roots } = this.#model;
    if (paths.length === 0)
      return [element('p', { class: 'hint', text: 'Select a layer to see what it is.' })];
    return [
      element('p', {
        class: 'hint',
        text: 'Select a store path to see its size, its closure and why it is there.',
      }),
      ...(roots.length === 0 ? [] : [element('h3', { text: 'Nothing refers to' }), this.#list(roots)]),
    ];
  }

  #path(path: number): Node[] {
    const { paths, storeDir, total, hasReferences, referrers } = this.#model;
    const info = paths[path]!;
    const { size, closureSize, closurePaths, layer, state, references } = info;
    const share = size === undefined ? '' : ` (${percent(size, total)})`;
    return [
      element('h3', { class: 'name', text: shortName(info) }),
      element('p', { class: 'store-path' }, [
        `${storeDir}/`,
        element('span', { class: 'hash', text: hashOf(info) }),
        `-${shortName(info)}`,
      ]),
      rows([
        ['Size', `${sizeText(size)}${share}`],
        ...(closurePaths === undefined
          ? []
          : [['Closure', `${sizeText(closureSize)} in ${counted(closurePaths, 'path')}`] as const]),
        ['Layer', this.#layerLink(layer)],
        ...(state === undefined ? [] : [['State', stateMark(state)] as const]),
      ]),
      ...(hasReferences
        ? [
            this.#closureButton(path),
            ...this.#why(path),
            ...this.#group('Referred to by', referrers[path]!),
            ...this.#group('Refers to', references ?? []),
          ]
        : [
            element('p', {
              class: 'hint',
              text: 'Who refers to it is not known: no store that knows it was given.',
            }),
          ]),
    ];
  }

  #why(path: number): Node[] {
    const chain = chainTo(path, this.#model);
    const title = element('h3', { text: 'Why it is here' });
    if (chain.length === 1)
      return [title, element('p', { text: 'It is a root: nothing in the image refers to it.' })];
    const steps = chain.map((step) =>
      element('li', {}, [step === path ? this.#self(step) : this.#pathLink(step)]),
    );
    return [title, element('ol', { class: 'chain' }, steps)];
  }

  #layer(layer: number, zoom: number | undefined): Node[] {
    const { layers, size: whole } = this.#model;
    const { label, size, area, digest, diffID, paths, state, kind } = layers[layer]!;
    const isZoomed = zoom === layer;
    const zoomTo = (): void => this.#state.change({ zoom: isZoomed ? undefined : layer });
    return [
      element('h3', { class: 'name', text: `Layer ${layer + 1}` }),
      element('p', { text: kind === 'customisation' ? `${label}: what is not a store path` : label }),
      rows([
        ['Size', `${sizeText(size)} (${percent(size, whole)})`],
        ...(area === size ? [] : [['Unpacked', sizeText(area)] as const]),
        ...(state === undefined ? [] : [['State', stateMark(state)] as const]),
        ...(digest === undefined ? [] : [['Digest', code(digest)] as const]),
        ...(diffID === undefined || diffID === digest ? [] : [['Diff ID', code(diffID)] as const]),
      ]),
      element('button', {
        class: 'action',
        text: isZoomed ? 'Show all layers' : 'Zoom in',
        onClick: zoomTo,
        attributes: { type: 'button' },
      }),
      ...this.#group('Store paths', paths),
    ];
  }

  #closureButton(path: number): Node {
    return element('button', {
      class: 'action',
      text: 'Show its closure in the map',
      attributes: { type: 'button' },
      onClick: () => this.#state.change({ found: closureOf(path, this.#model), foundLayers: new Set() }),
    });
  }

  #group(title: string, paths: readonly number[]): Node[] {
    if (paths.length === 0) return [];
    return [element('h3', { text: `${title} (${paths.length})` }), this.#list(paths)];
  }

  /** The largest first. */
  #list(paths: readonly number[]): Node {
    const sizeOf = (path: number): number => this.#model.paths[path]!.size ?? 0;
    const items = [...paths].sort((a, b) => sizeOf(b) - sizeOf(a) || a - b).map((path) => this.#item(path));
    const rest = items.splice(SHOWN);
    const list = element('ul', { class: 'paths' }, items);
    if (rest.length === 0) return list;
    const more = element('details', {}, [
      element('summary', { text: `${rest.length} more` }),
      element('ul', { class: 'paths' }, rest),
    ]);
    return element('div', {}, [list, more]);
  }

  #item(path: number): HTMLElement {
    const { size } = this.#model.paths[path]!;
    return element('li', {}, [
      this.#pathLink(path),
      size === undefined ? undefined : element('span', { class: 'note', text: sizeText(size) }),
    ]);
  }

  #pathLink(path: number): HTMLElement {
    const info = this.#model.paths[path]!;
    const link = linkButton(shortName(info), () => {
      this.#state.select({ kind: 'path', path });
      byId('details').focus();
    });
    link.title = info.name;
    return link;
  }

  #self(path: number): HTMLElement {
    return element('strong', { text: shortName(this.#model.paths[path]!) });
  }

  #layerLink(layer: number): HTMLElement {
    return linkButton(`${layer + 1} of ${this.#model.layers.length}`, () => {
      this.#state.select({ kind: 'layer', layer });
      byId('details').focus();
    });
  }
}

function rows(entries: readonly (readonly [string, string | Node])[]): HTMLElement {
  return element(
    'dl',
    {},
    entries.map(([name, value]) =>
      element('div', {}, [element('dt', { text: name }), element('dd', {}, [value])]),
    ),
  );
}

function code(text: string): HTMLElement {
  return element('code', { text });
}

function stateMark(state: keyof typeof STATE_WORDS): HTMLElement {
  return element('span', { class: `state state-${state}`, text: STATE_WORDS[state] });
}
