/** A table of texts by key in a cache's database. What is damaged, or stands under another key, counts as absent. */
import { createHash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';

/** Statements that make the table where it is not there yet. */
export function cacheTableSchema(name: string): string {
  return `
  CREATE TABLE IF NOT EXISTS ${name} (
    key TEXT PRIMARY KEY, entry TEXT NOT NULL, checksum TEXT NOT NULL, usedDay INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
`;
}

interface Row {
  readonly entry: string;
  readonly checksum: string;
  readonly usedDay: number;
}

/** Its methods throw what SQLite throws. */
export class CacheTable {
  readonly #database: DatabaseSync;
  readonly #name: string;
  readonly #todayDays: number;

  /** @param options todayDays: days since 1970; an entry remembers when it was last used */
  constructor(
    database: DatabaseSync,
    { name, todayDays }: { readonly name: string; readonly todayDays: number },
  ) {
    this.#database = database;
    this.#name = name;
    this.#todayDays = todayDays;
  }

  find(key: string): string | undefined {
    const row = this.#database
      .prepare(`SELECT entry, checksum, usedDay FROM ${this.#name} WHERE key = ?`)
      .get(key) as Row | undefined;
    if (row === undefined || row.checksum !== checksumOf(key, row.entry)) return undefined;
    if (row.usedDay !== this.#todayDays) {
      this.#database.prepare(`UPDATE ${this.#name} SET usedDay = ? WHERE key = ?`).run(this.#todayDays, key);
    }
    return row.entry;
  }

  add(key: string, entry: string): void {
    this.#database
      .prepare(`INSERT OR REPLACE INTO ${this.#name} (key, entry, checksum, usedDay) VALUES (?, ?, ?, ?)`)
      .run(key, entry, checksumOf(key, entry), this.#todayDays);
  }

  count(): number {
    const row = this.#database.prepare(`SELECT count(*) AS entries FROM ${this.#name}`).get();
    return Number(row?.['entries']);
  }

  /** Removes what was last used before the day; gives the number. */
  prune(beforeDay: number): number {
    return Number(
      this.#database.prepare(`DELETE FROM ${this.#name} WHERE usedDay < ?`).run(beforeDay).changes,
    );
  }
}

/** Ties the entry to its key: neither a flipped bit nor a row under another key is believed. */
function checksumOf(key: string, entry: string): string {
  return createHash('sha256').update(`${key}\n${entry}`).digest('base64');
}
