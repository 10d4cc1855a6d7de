/** All store paths as a table: what the treemap shows, for those who would rather read. */
import { element, linkButton } from './dom.ts';
import { hashOf, type PageModel, shortName, sizeText, STATE_WORDS } from './page-model.ts';
import type { PageState } from './page-state.ts';
import { makeSortable } from './sortable-table.ts';

export interface PathTableOptions {
  readonly state: PageState;
  /** Called when a path is chosen here. */
  readonly onChoose: (path: number) => void;
}

export function pathTable(model: PageModel, { state, onChoose }: PathTableOptions): HTMLTableElement {
  const { hasReferences, paths, pathMeasure } = model;
  const headings = [
    'Store path',
    ...(pathMeasure === undefined ? [] : ['Size']),
    ...(hasReferences ? ['Closure', 'Referrers'] : []),
    'Layer',
    ...(!tellsStates(model) ? [] : ['State']),
  ];
  const rows = new Map(largestFirst(model).map((path) => [path, pathRow(path, { model, onChoose })]));
  const table = element('table', { class: 'sortable' }, [
    element('thead', {}, [element('tr', {}, headings.map(headingOf))]),
    element('tbody', {}, [...rows.values()]),
  ]);
  makeSortable(table);
  if (paths.length > 0) table.querySelectorAll('th')[1]?.setAttribute('aria-sort', 'descending');
  state.listen(({ found }, before) => {
    if (found === before.found) return;
    for (const [path, row] of rows) row.hidden = found !== undefined && !found.has(path);
  });
  return table;
}

/** An old image may not tell of its store paths. */
function tellsStates({ paths }: PageModel): boolean {
  return paths.some(({ state }) => state !== undefined);
}

function headingOf(text: string): HTMLElement {
  const isNumber = !/path|State/.test(text);
  return element('th', { text, class: isNumber ? 'number' : '', attributes: { scope: 'col' } });
}

function largestFirst({ paths }: PageModel): number[] {
  return [...paths.keys()].sort((a, b) => (paths[b]!.size ?? 0) - (paths[a]!.size ?? 0) || a - b);
}

function pathRow(
  path: number,
  { model, onChoose }: { readonly model: PageModel; readonly onChoose: (path: number) => void },
): HTMLTableRowElement {
  const info = model.paths[path]!;
  const { size, closureSize, layer, state } = info;
  const number = (text: string | number, value?: number): HTMLElement =>
    element('td', { class: 'number', text: String(text), attributes: { 'data-value': value } });
  const name = element('td', { class: 'what', attributes: { 'data-value': shortName(info) } }, [
    linkButton(shortName(info), () => onChoose(path)),
    element('span', { class: 'hash', text: hashOf(info) }),
  ]);
  return element('tr', { attributes: { 'data-path': path } }, [
    name,
    ...(model.pathMeasure === undefined ? [] : [number(sizeText(size), size)]),
    ...(model.hasReferences
      ? [number(sizeText(closureSize), closureSize), number(model.referrers[path]!.length)]
      : []),
    number(layer + 1),
    ...(!tellsStates(model)
      ? []
      : [
          element('td', {}, [
            element('span', {
              class: `state state-${state}`,
              text: state === undefined ? '' : STATE_WORDS[state],
            }),
          ]),
        ]),
  ]);
}
