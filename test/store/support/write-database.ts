/** A process of its own that keeps registering paths in the database of the root it is given, until it is killed. */
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { insert } from './nix-schema.ts';
import { pathInfo, storePath } from './paths.ts';

const database = new DatabaseSync(join(process.argv[2] ?? '', 'nix/var/nix/db/db.sqlite'));
const forget = database.prepare('DELETE FROM ValidPaths WHERE path = ?');

for (let round = 0; ; round += 1) {
  const names = Array.from({ length: 20 }, (_, index) => `round${round}-${index}`);
  const chain = names.map((name, index) => pathInfo(name, names.slice(index + 1, index + 2)));
  // A reader sees the round before this one or this one, whole.
  database.exec('BEGIN');
  forget.run(storePath('newest'));
  insert(database, [...chain, pathInfo('newest', names.slice(0, round % 2))]);
  database.exec('COMMIT');
  if (round === 1) process.send?.('writing');
}
