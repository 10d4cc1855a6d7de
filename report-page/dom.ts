/** Elements with less to write. */

type Child = Node | string | undefined;

interface Properties {
  readonly class?: string;
  readonly text?: string;
  /** Attributes; undefined ones are left out. */
  readonly attributes?: Readonly<Record<string, string | number | undefined>>;
  readonly onClick?: () => void;
}

export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Properties = {},
  children: readonly Child[] = [],
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  if (properties.class !== undefined) made.className = properties.class;
  if (properties.text !== undefined) made.textContent = properties.text;
  for (const [name, value] of Object.entries(properties.attributes ?? {}))
    if (value !== undefined) made.setAttribute(name, String(value));
  if (properties.onClick !== undefined) made.addEventListener('click', properties.onClick);
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

/** A button that looks like a link in text. */
export function linkButton(text: string, onClick: () => void): HTMLButtonElement {
  return element('button', { class: 'link', text, onClick, attributes: { type: 'button' } });
}

export function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found;
}
