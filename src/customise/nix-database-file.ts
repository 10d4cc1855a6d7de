/**
 * Makes a database in which Nix finds a closure registered. Its bytes depend on the closure alone.
 *
 * @see nix/src/libstore/schema.sql, schema version 10
 */
import { chmodSync, closeSync, openSync, writeSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { CUSTOMISATION_MTIME_SECONDS } from '../image/customisation.ts';
import type { Closure } from '../store/store.ts';

export const SCHEMA_VERSION = 10;

const SCHEMA = `
create table if not exists ValidPaths (
    id               integer primary key autoincrement not null,
    path             text unique not null,
    hash             text not null,
    registrationTime integer not null,
    deriver          text,
    narSize          integer,
    ultimate         integer,
    sigs             text,
    ca               text
);
create table if not exists Refs (
    referrer  integer not null,
    reference integer not null,
    primary key (referrer, reference),
    foreign key (referrer) references ValidPaths(id) on delete cascade,
    foreign key (reference) references ValidPaths(id) on delete restrict
);
create index if not exists IndexReferrer on Refs(referrer);
create index if not exists IndexReference on Refs(reference);
create trigger if not exists DeleteSelfRefs before delete on ValidPaths
  begin
    delete from Refs where referrer = old.id and reference = old.id;
  end;
create table if not exists DerivationOutputs (
    drv  integer not null,
    id   text not null,
    path text not null,
    primary key (drv, id),
    foreign key (drv) references ValidPaths(id) on delete cascade
);
create index if not exists IndexDerivationOutputs on DerivationOutputs(path);
`;

/** @param file must not exist */
export function writeNixDatabase(file: string, closure: Closure): void {
  const database = new DatabaseSync(file);
  try {
    database.exec('pragma page_size = 4096; begin');
    database.exec(SCHEMA);
    register(database, closure);
    database.exec('commit');
  } finally {
    database.close();
  }
  forgetVersion(file);
  chmodSync(file, 0o644);
}

function register(database: DatabaseSync, { paths }: Closure): void {
  const addPath = database.prepare(
    'insert into ValidPaths (id, path, hash, registrationTime, narSize, ca) values (?, ?, ?, ?, ?, ?)',
  );
  const addReference = database.prepare('insert into Refs (referrer, reference) values (?, ?)');
  const ids = new Map(paths.map(({ path }, i) => [path, i + 1]));
  for (const [i, { path, narHash, narSize, ca }] of paths.entries())
    addPath.run(i + 1, path, narHash, CUSTOMISATION_MTIME_SECONDS, narSize, ca ?? null);
  for (const [i, { references }] of paths.entries())
    for (const reference of references) addReference.run(i + 1, ids.get(reference) as number);
}

const WRITER_VERSION_AT = 96;

/** A database says which SQLite wrote it. @see SQLite, "Database File Format", section 1.3.16 */
function forgetVersion(file: string): void {
  const fd = openSync(file, 'r+');
  try {
    writeSync(fd, Buffer.alloc(4), 0, 4, WRITER_VERSION_AT);
  } finally {
    closeSync(fd);
  }
}
