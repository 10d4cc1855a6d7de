/** A Nix database without Nix: the tables of its schema that matter, in WAL mode as Nix has it. */
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { PathInfo } from '../../../src/store/store.ts';

const SCHEMA = `
  PRAGMA journal_mode = wal;
  CREATE TABLE ValidPaths (
    id integer primary key autoincrement not null, path text unique not null, hash text not null,
    registrationTime integer not null, deriver text, narSize integer, ultimate integer, sigs text, ca text);
  CREATE TABLE Refs (
    referrer integer not null, reference integer not null, primary key (referrer, reference),
    foreign key (referrer) references ValidPaths(id) on delete cascade,
    foreign key (reference) references ValidPaths(id) on delete restrict);
  CREATE INDEX IndexReferrer ON Refs(referrer);
  CREATE INDEX IndexReference ON Refs(reference);`;

/** The caller closes it. */
export function createDatabase(root: string): DatabaseSync {
  const file = join(root, 'nix/var/nix/db/db.sqlite');
  mkdirSync(dirname(file), { recursive: true });
  const database = new DatabaseSync(file);
  database.exec(SCHEMA);
  return database;
}

/** All in one transaction; references must be among `infos` or there already. */
export function register(database: DatabaseSync, infos: readonly PathInfo[]): void {
  database.exec('BEGIN');
  insert(database, infos);
  database.exec('COMMIT');
}

export function insert(database: DatabaseSync, infos: readonly PathInfo[]): void {
  const addPath = database.prepare(
    'INSERT INTO ValidPaths (path, hash, registrationTime, narSize) VALUES (?, ?, 1, ?)',
  );
  const addReference = database.prepare(
    'INSERT INTO Refs SELECT a.id, b.id FROM ValidPaths a, ValidPaths b WHERE a.path = ? AND b.path = ?',
  );
  for (const { path, narHash, narSize } of infos) addPath.run(path, narHash, narSize);
  for (const { path, references } of infos)
    for (const reference of references) addReference.run(path, reference);
}
