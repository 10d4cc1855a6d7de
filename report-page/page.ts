/** The report's own program: what cannot be said in plain HTML. It asks for nothing but the data in the page. */
import type { PageData } from '../src/report/page-data.ts';
import { byId, element, linkButton } from './dom.ts';
import { Details } from './details.ts';
import { legend } from './legend.ts';
import { makeModel, type PageModel, shortName } from './page-model.ts';
import { PageState, type Selection } from './page-state.ts';
import { PathTable } from './path-table.ts';
import { Search } from './search.ts';
import { makeSortable } from './sortable-table.ts';
import { Treemap } from './treemap.ts';

start(makeModel(JSON.parse(byId('report-data').textContent) as PageData), new PageState());

function start(model: PageModel, state: PageState): void {
  const search = new Search(model, state);
  const explorer = byId('explorer');
  const readout = element('p', { class: 'readout', attributes: { 'aria-hidden': 'true' } });
  const treemap = new Treemap(model, { state, readout });
  const details = new Details(model, state);
  explorer.append(
    element('div', { class: 'tools' }, [search.root, legend(model)]),
    crumbs(model, state),
    element('div', { class: 'panes' }, [
      element('div', { class: 'canvas' }, [treemap.root, readout]),
      details.root,
    ]),
    announcements(model, state),
  );
  byId('needs-script').remove();
  explorer.hidden = false;
  treemap.draw();
  const choose = (selection: Selection): void => {
    state.select(selection);
    details.root.focus({ preventScroll: true });
    explorer.scrollIntoView({ block: 'start' });
  };
  layerTable(model, choose);
  searchableCauses(search);
  followAddress(model, state);
  // The table of paths is long, and below the fold.
  requestAnimationFrame(() =>
    setTimeout(() => {
      if (model.paths.length === 0) return;
      new PathTable(model, { state, onChoose: (path) => choose({ kind: 'path', path }) }).showIn(
        byId('paths'),
      );
      byId('paths-section').hidden = false;
    }),
  );
}

/** The way back from one layer that fills the map. */
function crumbs(model: PageModel, state: PageState): HTMLElement {
  const root = element('nav', { class: 'crumbs', attributes: { 'aria-label': 'Zoom' } });
  root.hidden = true;
  state.listen(({ zoom }) => {
    root.hidden = zoom === undefined;
    if (zoom === undefined) return root.replaceChildren();
    const label = `Layer ${zoom + 1}: ${model.layers[zoom]!.label}`;
    root.replaceChildren(
      linkButton('All layers', () => state.change({ zoom: undefined })),
      element('span', { text: ' › ', attributes: { 'aria-hidden': 'true' } }),
      label,
    );
  });
  return root;
}

/** Says what was selected to those who do not see the details change. */
function announcements({ paths, layers }: PageModel, state: PageState): HTMLElement {
  const root = element('p', { class: 'visually-hidden', attributes: { role: 'status' } });
  state.listen(({ selection }, before) => {
    if (selection === before.selection || selection === undefined) return;
    const name =
      selection.kind === 'path'
        ? shortName(paths[selection.path]!)
        : `Layer ${selection.layer + 1}, ${layers[selection.layer]!.label}`;
    root.textContent = `${name} selected; details follow the map`;
  });
  return root;
}

function layerTable(model: PageModel, choose: (selection: Selection) => void): void {
  const table = byId('layers') as HTMLTableElement;
  makeSortable(table);
  for (const row of table.querySelectorAll<HTMLElement>('tr[data-layer]')) {
    const layer = Number(row.dataset['layer']);
    const label = row.querySelector('.label');
    label?.replaceChildren(linkButton(model.layers[layer]!.label, () => choose({ kind: 'layer', layer })));
  }
}

function searchableCauses(search: Search): void {
  for (const cause of document.querySelectorAll<HTMLElement>('[data-search]')) {
    const find = (): void => {
      search.find(cause.dataset['search'] ?? '');
      search.input.focus();
    };
    cause.replaceChildren(linkButton(cause.textContent, find));
  }
}

/** `report.html#HASH-NAME` is the address of a store path in the report. */
function followAddress({ paths }: PageModel, state: PageState): void {
  const places = new Map(paths.map(({ name }, path) => [name, path]));
  const read = (): void => {
    const name = decodeURIComponent(location.hash.slice(1));
    const path = places.get(name);
    if (path !== undefined) state.select({ kind: 'path', path });
  };
  read();
  addEventListener('hashchange', read);
  state.listen(({ selection }, before) => {
    if (selection === before.selection || selection?.kind !== 'path') return;
    history.replaceState(undefined, '', `#${paths[selection.path]!.name}`);
  });
}
