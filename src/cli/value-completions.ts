/**
 * What may stand where an option or argument wants a value, for the shells' completion, as tokens separated by spaces: a word, or a
 * beginning with the kind of what follows it, such as `docker-archive:<files>`. Kinds are `files`, `directories` and `storePaths`.
 */
import type { Argument, Option } from 'commander';
import { INHERITABLE_FIELDS } from '../index.ts';
import { SOURCES } from './image-options.ts';

export function completionOfOption({ long, flags, description, argChoices }: Option): string {
  const [, placeholder = ''] = /<(.*?)(?:\.\.\.)?>/.exec(flags) ?? [];
  const own = BY_OPTION[long ?? ''] ?? BY_PLACEHOLDER[placeholder];
  return tokens({ words: argChoices, own, description });
}

export function completionOfArgument(argument: Argument): string {
  const { argChoices, description } = argument;
  return tokens({ words: argChoices, own: BY_PLACEHOLDER[argument.name()], description });
}

const KINDS: Readonly<Record<string, string>> = {
  FILE: '<files>',
  DIR: '<directories>',
  PATH: '<storePaths>',
};

const IMAGES = `${named(SOURCES).join(' ')} <files>`;

const BY_OPTION: Readonly<Record<string, string>> = {
  '--architecture': 'amd64 arm64 arm 386 ppc64le riscv64 s390x',
  '--os': 'linux',
  '--compressor': 'none gz zstd',
  '--compress': 'none gzip gzip: zstd zstd:',
  '--inherit': INHERITABLE_FIELDS.join(' '),
};

const BY_PLACEHOLDER: Readonly<Record<string, string>> = {
  file: '<files>',
  directory: '<directories>',
  path: '<storePaths>',
  date: 'now',
  helper: 'tmp nss',
  'json|file': '<files>',
  'name|file': 'steady popularity auto <files>',
  where: 'auto <directories>',
  image: IMAGES,
  'IMAGE.json': '<files>',
  CONF: '<files>',
  IMAGE: IMAGES,
  SOURCE: IMAGES,
  OLD: IMAGES,
  NEW: IMAGES,
  STOREPATH: '<storePaths>',
  'IMAGE|STOREPATH': `${IMAGES} <storePaths>`,
};

interface Hints {
  readonly words: readonly string[] | undefined;
  readonly own: string | undefined;
  readonly description: string;
}

function tokens({ words = [], own = '', description }: Hints): string {
  const output = description.includes(' - for stdout') ? ['-'] : [];
  return [...new Set([...words, ...named(description), ...output, ...own.split(' ').filter(Boolean)])].join(
    ' ',
  );
}

/** Descriptions name transports and the like as `docker-archive:FILE`: what people read is what is offered. */
function named(description: string): string[] {
  return [...description.matchAll(/(?<![\w\]])([a-z-]+:\/\/|[a-z-]+[:=]|@(?=FILE))([A-Z]+)/g)].map(
    ([, start, placeholder]) => `${start}${KINDS[placeholder as string] ?? ''}`,
  );
}
