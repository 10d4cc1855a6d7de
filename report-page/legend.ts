/** What the treemap's colours mean. */
import { element } from './dom.ts';
import { type PageModel, STATE_WORDS } from './page-model.ts';

const STATES = ['kept', 'resent', 'changed', 'new', 'unknown'] as const;

export function legend({ isCompared, paths, layers }: PageModel): HTMLElement | undefined {
  if (!isCompared)
    return layers.length === 1
      ? undefined
      : element('p', { class: 'note', text: 'Colours tell layers apart' });
  const present = new Set([...paths, ...layers].map(({ state }) => state));
  const items = STATES.filter((state) => present.has(state)).map((state) =>
    element('li', {}, [element('span', { class: `swatch fill-${state}` }), STATE_WORDS[state]]),
  );
  return element('ul', { class: 'legend', attributes: { 'aria-label': 'Colours' } }, items);
}
