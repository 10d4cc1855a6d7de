/** JSON whose numbers survive: what a user writes in `config` reaches the image digit by digit. */

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject | RawJson;

export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** A number that a JavaScript number cannot hold or would print otherwise. `JSON.stringify` prints it as it was written. */
export interface RawJson {
  readonly rawJSON: string;
}

interface JsonWithSource {
  rawJSON(text: string): RawJson;
  parse(
    text: string,
    reviver: (key: string, value: JsonValue, context: { source?: string }) => JsonValue,
  ): JsonValue;
}

// Part of the language since ECMAScript's "JSON.parse source text access", and not yet of TypeScript's library.
const json: JsonWithSource = JSON as never;

/** @throws SyntaxError as JSON.parse does */
export function parseJson(text: string): JsonValue {
  return json.parse(text, (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined && String(value) !== source
      ? json.rawJSON(source)
      : value,
  );
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
