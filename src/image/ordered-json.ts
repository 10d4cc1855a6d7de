/**
 * JSON that keeps what a JavaScript object does not: the order of all keys, also of those that look like integers, keys
 * named `__proto__`, and numbers as they were written. A repeated key keeps its first place and has its last value, as in
 * Python's dictionaries.
 *
 * Printed as CPython's `json.dumps(…, indent=4)` prints it, so that documents are the same byte for byte.
 *
 * @see RFC 8259; CPython, Lib/json/encoder.py
 */

export type OrderedJson = null | boolean | string | OrderedNumber | OrderedList | OrderedObject;

/** A number as it is written in JSON. */
export interface OrderedNumber {
  readonly kind: 'number';
  readonly source: string;
}

export interface OrderedList {
  readonly kind: 'list';
  readonly items: readonly OrderedJson[];
}

export interface OrderedObject {
  readonly kind: 'object';
  readonly fields: ReadonlyMap<string, OrderedJson>;
}

const MAX_DEPTH = 500;

/** @throws SyntaxError */
export function parseOrderedJson(text: string): OrderedJson {
  const parser = new Parser(text);
  const value = parser.value(0);
  parser.end();
  return value;
}

export function orderedList(items: readonly OrderedJson[]): OrderedList {
  return { kind: 'list', items };
}

export function orderedObject(fields: Iterable<readonly [string, OrderedJson]>): OrderedObject {
  return { kind: 'object', fields: new Map(fields) };
}

/**
 * The value with the keys of its objects in the order of `like`, wherever both have an object in the same place. Keys that `like` does
 * not have come after the others.
 */
export function inOrderOf(value: OrderedJson, like: OrderedJson): OrderedJson {
  if (value === null || like === null || typeof value !== 'object' || typeof like !== 'object') return value;
  if (value.kind === 'list' && like.kind === 'list')
    return orderedList(value.items.map((item, i) => inOrderOf(item, like.items[i] ?? null)));
  if (value.kind !== 'object' || like.kind !== 'object') return value;
  const { fields } = value;
  const known = [...like.fields].flatMap(([key, other]) => {
    const field = fields.get(key);
    return field === undefined ? [] : [[key, inOrderOf(field, other)] as const];
  });
  return orderedObject([...known, ...[...fields].filter(([key]) => !like.fields.has(key))]);
}

/** As `json.dumps(value, indent=4)`: ASCII alone, four spaces, no newline at the end. */
export function printLikePython(value: OrderedJson): string {
  return print(value, '');
}

function print(value: OrderedJson, indent: string): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return printText(value);
  if (value.kind === 'number') return printNumber(value.source);
  const inner = `${indent}    `;
  const isList = value.kind === 'list';
  const parts = isList
    ? value.items.map((item) => print(item, inner))
    : [...value.fields].map(([key, field]) => `${printText(key)}: ${print(field, inner)}`);
  const [open, close] = isList ? ['[', ']'] : ['{', '}'];
  if (parts.length === 0) return `${open}${close}`;
  return `${open}\n${parts.map((part) => inner + part).join(',\n')}\n${indent}${close}`;
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

function printText(text: string): string {
  const escaped = text.replaceAll(
    /["\\]|[^\x20-\x7e]/g,
    (unit) => SHORT_ESCAPES[unit] ?? `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `"${escaped}"`;
}

/** Integers digit by digit; others as `repr` of the nearest double. */
function printNumber(source: string): string {
  if (/^-?\d+$/.test(source)) return source === '-0' ? '0' : source;
  return printFloat(Number(source));
}

/**
 * The shortest digits that give the same double, as in JavaScript; Python differs in where it changes to an exponent, in
 * the exponent's two digits, and in the `.0` of whole numbers.
 */
function printFloat(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity';
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const [mantissa = '', exponentText = '0'] = Math.abs(value).toExponential().split('e');
  const digits = mantissa.replace('.', '');
  const exponent = Number(exponentText);
  return (
    sign + (exponent < -4 || exponent >= 16 ? scientific(digits, exponent) : positional(digits, exponent))
  );
}

function scientific(digits: string, exponent: number): string {
  const fraction = digits.length === 1 ? '' : `.${digits.slice(1)}`;
  const size = String(Math.abs(exponent)).padStart(2, '0');
  return `${digits[0]}${fraction}e${exponent < 0 ? '-' : '+'}${size}`;
}

function positional(digits: string, exponent: number): string {
  if (exponent < 0) return `0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  return `${whole}.${digits.slice(exponent + 1) || '0'}`;
}

const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const TEXT = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const WORD = /null|true|false/y;

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): OrderedJson {
    if (depth > MAX_DEPTH) throw this.#error('it is nested too deeply');
    if (this.#skip('{')) return { kind: 'object', fields: this.#fields(depth) };
    if (this.#skip('[')) return { kind: 'list', items: this.#items(depth) };
    const text = this.#match(TEXT);
    if (text !== undefined) return JSON.parse(text) as string;
    const word = this.#match(WORD);
    if (word !== undefined) return word === 'null' ? null : word === 'true';
    const source = this.#match(NUMBER);
    if (source !== undefined) return { kind: 'number', source };
    throw this.#error('no value stands here');
  }

  end(): void {
    this.#match(SPACE);
    if (this.#at < this.#text.length) throw this.#error('something follows the value');
  }

  #fields(depth: number): Map<string, OrderedJson> {
    const fields = new Map<string, OrderedJson>();
    if (this.#skip('}')) return fields;
    do {
      this.#match(SPACE);
      const key = this.#match(TEXT);
      if (key === undefined || !this.#skip(':'))
        throw this.#error('a field begins with its name and a colon');
      fields.set(JSON.parse(key) as string, this.value(depth + 1));
    } while (this.#skip(','));
    if (!this.#skip('}')) throw this.#error('an object goes on with a comma or ends with }');
    return fields;
  }

  #items(depth: number): OrderedJson[] {
    const items: OrderedJson[] = [];
    if (this.#skip(']')) return items;
    do items.push(this.value(depth + 1));
    while (this.#skip(','));
    if (!this.#skip(']')) throw this.#error('a list goes on with a comma or ends with ]');
    return items;
  }

  /** Spaces and the character, if it is next. Spaces alone are skipped too. */
  #skip(character: string): boolean {
    this.#match(SPACE);
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #error(what: string): SyntaxError {
    const lines = this.#text.slice(0, this.#at).split('\n');
    return new SyntaxError(
      `not JSON at line ${lines.length}, column ${(lines.at(-1) as string).length + 1}: ${what}`,
    );
  }
}
