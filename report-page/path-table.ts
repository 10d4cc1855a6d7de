/** All store paths as a table: what the treemap shows, for those who would rather read. Rows are made as they are asked for. */
import { element, linkButton } from './dom.ts';
import { hashOf, type PageModel, shortName, sizeText, STATE_WORDS } from './page-model.ts';
import type { PageState } from './page-state.ts';

export interface PathTableOptions {
  readonly state: PageState;
  /** Called when a path is chosen here. */
  readonly onChoose: (path: number) => void;
}

interface Column {
  readonly title: string;
  /** What rows are sorted by. */
  readonly valueOf: (path: number) => number | string;
  readonly cellOf: (path: number) => HTMLElement;
}

/** Thousands of rows at once would make a page slow. */
const FIRST_ROWS = 100;

export class PathTable {
  readonly #model: PageModel;
  readonly #state: PageState;
  readonly #columns: readonly Column[];
  readonly #headings: readonly HTMLElement[];
  readonly #body = element('tbody');
  readonly #more: HTMLButtonElement;
  #order: readonly number[] = [];
  #limit = FIRST_ROWS;

  constructor(model: PageModel, { state, onChoose }: PathTableOptions) {
    this.#model = model;
    this.#state = state;
    this.#columns = columnsOf(model, onChoose);
    this.#headings = this.#columns.map((column) => this.#heading(column));
    this.#more = element('button', {
      class: 'action',
      attributes: { type: 'button' },
      onClick: () => this.#showAll(),
    });
    this.#sortBy(this.#columns.find(({ title }) => title === 'Size') ?? this.#columns[0]!);
    state.listen(({ found }, before) => {
      if (found !== before.found) this.#draw();
    });
  }

  showIn(place: HTMLElement): void {
    const head = element('thead', {}, [element('tr', {}, this.#headings)]);
    place.append(element('table', { class: 'sortable' }, [head, this.#body]));
    place.after(this.#more);
  }

  #heading(column: Column): HTMLElement {
    const isNumber = isNumeric(column.title);
    const button = element('button', {
      class: 'sort',
      text: column.title,
      attributes: { type: 'button' },
      onClick: () => this.#sortBy(column),
    });
    return element('th', { class: isNumber ? 'number' : '', attributes: { scope: 'col' } }, [button]);
  }

  #sortBy(column: Column): void {
    const heading = this.#headings[this.#columns.indexOf(column)]!;
    const before = heading.getAttribute('aria-sort');
    // Numbers are mostly asked for their largest.
    const isAscending = before === null ? !isNumeric(column.title) : before === 'descending';
    for (const other of this.#headings) other.removeAttribute('aria-sort');
    heading.setAttribute('aria-sort', isAscending ? 'ascending' : 'descending');
    const sign = isAscending ? 1 : -1;
    this.#order = [...this.#model.paths.keys()].sort(
      (a, b) => sign * compare(column.valueOf(a), column.valueOf(b)) || a - b,
    );
    this.#draw();
  }

  #draw(): void {
    const { found } = this.#state.now;
    const shown = found === undefined ? this.#order : this.#order.filter((path) => found.has(path));
    const rows = shown.slice(0, this.#limit).map((path) =>
      element(
        'tr',
        { attributes: { 'data-path': path } },
        this.#columns.map(({ cellOf }) => cellOf(path)),
      ),
    );
    this.#body.replaceChildren(...rows);
    this.#more.hidden = rows.length === shown.length;
    this.#more.textContent = `Show ${shown.length - rows.length} more`;
  }

  /** What had the focus is gone then: the first row that was not there before gets it. */
  #showAll(): void {
    const before = this.#body.rows.length;
    this.#limit = Infinity;
    this.#draw();
    this.#body.rows[before]?.querySelector('button')?.focus();
  }
}

function columnsOf(model: PageModel, onChoose: (path: number) => void): readonly Column[] {
  const { paths, referrers, pathMeasure, hasReferences } = model;
  const number = (
    title: string,
    valueOf: (path: number) => number,
    text: (path: number) => string,
  ): Column => ({
    title,
    valueOf,
    cellOf: (path) => element('td', { class: 'number', text: text(path) }),
  });
  const bytes = (title: string, sizeOf: (path: number) => number | undefined): Column =>
    number(
      title,
      (path) => sizeOf(path) ?? -1,
      (path) => sizeText(sizeOf(path)),
    );
  const isCompared = paths.some(({ state }) => state !== undefined);
  return [
    {
      title: 'Store path',
      valueOf: (path) => shortName(paths[path]!),
      cellOf: (path) => nameCell(path, { model, onChoose }),
    },
    ...(pathMeasure === undefined ? [] : [bytes('Size', (path) => paths[path]!.size)]),
    ...(hasReferences
      ? [
          bytes('Closure', (path) => paths[path]!.closureSize),
          number(
            'Referrers',
            (path) => referrers[path]!.length,
            (path) => String(referrers[path]!.length),
          ),
        ]
      : []),
    number(
      'Layer',
      (path) => paths[path]!.layer,
      (path) => String(paths[path]!.layer + 1),
    ),
    ...(isCompared
      ? [
          {
            title: 'State',
            valueOf: (path: number) => paths[path]!.state ?? '',
            cellOf: (path: number) => stateCell(path, model),
          },
        ]
      : []),
  ];
}

function nameCell(
  path: number,
  { model, onChoose }: { readonly model: PageModel; readonly onChoose: (path: number) => void },
): HTMLElement {
  const info = model.paths[path]!;
  return element('td', { class: 'what' }, [
    linkButton(shortName(info), () => onChoose(path)),
    element('span', { class: 'hash', text: hashOf(info) }),
  ]);
}

function stateCell(path: number, { paths }: PageModel): HTMLElement {
  const { state } = paths[path]!;
  const mark = state && element('span', { class: `state state-${state}`, text: STATE_WORDS[state] });
  return element('td', {}, [mark]);
}

function isNumeric(title: string): boolean {
  return title !== 'Store path' && title !== 'State';
}

const COLLATOR = new Intl.Collator('en', { numeric: true });

function compare(a: number | string, b: number | string): number {
  return typeof a === 'number' && typeof b === 'number' ? a - b : COLLATOR.compare(String(a), String(b));
}
