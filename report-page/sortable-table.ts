/** Makes a table's headings buttons that sort its rows: by `data-value` where a cell has one, else by its text. */
import { element } from './dom.ts';

const COLLATOR = new Intl.Collator('en', { numeric: true });

export function makeSortable(table: HTMLTableElement): void {
  const headings = [...table.querySelectorAll('th')];
  for (const [column, heading] of headings.entries()) {
    const button = element('button', {
      class: 'sort',
      text: heading.textContent,
      attributes: { type: 'button' },
      onClick: () => sortBy(table, { column, heading, headings }),
    });
    heading.replaceChildren(button);
  }
}

function sortBy(
  table: HTMLTableElement,
  {
    column,
    heading,
    headings,
  }: { readonly column: number; readonly heading: HTMLElement; readonly headings: readonly HTMLElement[] },
): void {
  const isNumber = heading.classList.contains('number');
  const before = heading.getAttribute('aria-sort');
  // Numbers are mostly asked for their largest.
  const isAscending = before === null ? !isNumber : before === 'descending';
  for (const other of headings) other.removeAttribute('aria-sort');
  heading.setAttribute('aria-sort', isAscending ? 'ascending' : 'descending');
  const body = table.tBodies[0]!;
  const keyed = [...body.rows].map((row) => ({ row, key: keyOf(row.cells[column]!) }));
  const sign = isAscending ? 1 : -1;
  keyed.sort(
    (a, b) => sign * (isNumber ? numberOf(a.key) - numberOf(b.key) : COLLATOR.compare(a.key, b.key)),
  );
  body.append(...keyed.map(({ row }) => row));
}

function keyOf(cell: HTMLTableCellElement): string {
  return cell.dataset['value'] ?? cell.textContent;
}

/** What is not known comes below all numbers. */
function numberOf(key: string): number {
  const number = Number.parseFloat(key);
  return Number.isNaN(number) ? -1 : number;
}
