/** HTML out of text that nobody vouches for: what is put into a template is escaped, unless it is HTML already. */

export interface Html {
  readonly html: string;
}

type HtmlValue = string | number | Html | readonly Html[] | undefined;

/** Undefined is nothing. */
export function markup(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return { html: strings.map((text, i) => text + htmlOf(values[i])).join('') };
}

/** JSON for a `script` element that is data: no character of it can end the element, or a line of JavaScript. */
export function embeddedJson(value: unknown): Html {
  const json = JSON.stringify(value);
  return {
    html: json.replaceAll(
      /[<>&\u2028\u2029]/g,
      (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
    ),
  };
}

function htmlOf(value: HtmlValue): string {
  if (value === undefined) return '';
  if (typeof value === 'object') return 'html' in value ? value.html : value.map(htmlOf).join('');
  return String(value).replaceAll(/[&<>"']/g, (character) => ENTITIES[character] as string);
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
