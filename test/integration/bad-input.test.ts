/** What a user gets wrong: the right exit code, the error's code, what it is about, and nothing written. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { HELLO, phyllo } from './support/phyllo.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const directory = temporaryDirectory();

interface Description {
  readonly [field: string]: unknown;
  readonly contents: readonly [string];
  readonly config: { readonly Env: readonly string[] };
}

const hello = JSON.parse(readFileSync(join(HELLO, 'image.json'), 'utf8')) as Description;
const [helloPath] = hello.contents;
/** A store path that is a file. */
const manual = hello.config.Env.find((variable) => variable.startsWith('HELLO_MANUAL='))?.split('=')[1] ?? '';
/** Well-formed, and in no store. */
const UNKNOWN = `${helloPath.slice(0, '/nix/store/'.length)}${'0'.repeat(32)}-nowhere`;

interface Failure {
  readonly exitCode: 1 | 2;
  readonly code: string;
  /** What the message or hint speaks of. */
  readonly about: readonly string[];
}

let count = 0;

/** An empty directory for one build. */
function newDirectory(): string {
  count += 1;
  const path = join(directory, String(count));
  mkdirSync(path);
  return path;
}

/** The example's description with other fields, and its store's place made absolute. */
function describeImage(fields: Readonly<Record<string, unknown>>): string {
  const file = join(newDirectory(), 'image.json');
  writeFileSync(file, JSON.stringify({ ...hello, store: `file://${join(HELLO, 'cache')}`, ...fields }));
  return file;
}

async function assertFailure(args: readonly string[], { exitCode, code, about }: Failure): Promise<void> {
  const outcome = await phyllo(args);
  assert.equal(outcome.exitCode, exitCode, outcome.stderr);
  assert.match(outcome.stderr, /^error: /);
  assert.ok(outcome.stderr.includes(`[${code}]`), outcome.stderr);
  for (const words of about) assert.ok(outcome.stderr.includes(words), `${words} in ${outcome.stderr}`);
  assert.doesNotMatch(outcome.stderr, /^\s+at /m);
  assert.equal(outcome.stdout, '');
}

/** Builds a description into an empty directory, which must stay empty. */
async function assertBuildFailure(description: string, failure: Failure): Promise<void> {
  const output = newDirectory();
  await assertFailure(['build', description, '--to', `docker-archive:${join(output, 'image.tar')}`], failure);
  assert.deepEqual(readdirSync(output), []);
}

describe('wrong usage', () => {
  const description = join(HELLO, 'image.json');
  const cases: readonly {
    readonly name: string;
    readonly args: readonly string[];
    readonly about: readonly string[];
  }[] = [
    { name: 'an unknown command', args: ['biuld'], about: ['build'] },
    {
      name: 'an unknown option',
      args: ['build', description, '--max-layer', '5', '--to', '-'],
      about: ['--max-layers'],
    },
    { name: 'no destination', args: ['build', description], about: ['--to'] },
    {
      name: 'a number of jobs that is none',
      args: ['build', description, '--jobs', 'many', '--to', '-'],
      about: ['--jobs', 'many'],
    },
    {
      name: 'an unknown transport',
      args: ['build', description, '--to', 'docker-archve:x'],
      about: ['docker-archive'],
    },
    {
      name: 'an archive without a file',
      args: ['build', description, '--to', 'docker-archive:'],
      about: ['docker-archive:'],
    },
  ];
  for (const { name, args, about } of cases)
    it(name, async () => {
      const outcome = await phyllo(args);
      assert.equal(outcome.exitCode, 2, outcome.stderr);
      for (const words of about) assert.ok(outcome.stderr.includes(words), `${words} in ${outcome.stderr}`);
      assert.equal(outcome.stdout, '');
    });
});

describe('a wrong description', () => {
  it('has an unknown field', () =>
    assertBuildFailure(describeImage({ maxLayer: 5 }), {
      exitCode: 1,
      code: 'IMAGE_INVALID',
      about: ['maxLayer', 'maxLayers'],
    }));

  it('has several wrong types, which are all reported', () =>
    assertBuildFailure(describeImage({ name: 5, maxLayers: 'many', contents: [7], config: [] }), {
      exitCode: 1,
      code: 'IMAGE_INVALID',
      about: ['name', 'maxLayers', 'contents', 'config'],
    }));

  it('is not JSON', () => {
    const file = join(newDirectory(), 'image.json');
    writeFileSync(file, '{"name": "hello",');
    return assertBuildFailure(file, { exitCode: 1, code: 'IMAGE_INVALID', about: [file] });
  });

  it('is not there', () => {
    const file = join(newDirectory(), 'image.json');
    return assertBuildFailure(file, { exitCode: 1, code: 'FILE_UNREADABLE', about: [file] });
  });

  it('has a budget of one layer', () =>
    assertBuildFailure(describeImage({ maxLayers: 1 }), {
      exitCode: 1,
      code: 'IMAGE_INVALID',
      about: ['maxLayers', '2'],
    }));

  it('has a content outside the store', () =>
    assertBuildFailure(describeImage({ contents: ['/etc/passwd'] }), {
      exitCode: 1,
      code: 'STORE_PATH_INVALID',
      about: ['/etc/passwd'],
    }));

  it('has a content that is no valid store path', () =>
    assertBuildFailure(describeImage({ contents: ['/nix/store/hello-1.0'] }), {
      exitCode: 1,
      code: 'STORE_PATH_INVALID',
      about: ['/nix/store/hello-1.0'],
    }));

  it('has a content that the store does not have', () =>
    assertBuildFailure(describeImage({ contents: [UNKNOWN] }), {
      exitCode: 1,
      code: 'STORE_PATH_UNKNOWN',
      about: [UNKNOWN],
    }));

  it('has a content that is a file', () =>
    assertBuildFailure(describeImage({ contents: [manual] }), {
      exitCode: 1,
      code: 'CONTENT_NOT_DIRECTORY',
      about: [manual],
    }));

  it('mentions what the store does not have, and the error says where', () =>
    assertBuildFailure(
      describeImage({ config: { Cmd: ['/bin/hello'], Env: ['A=1', `PATH=/bin:${UNKNOWN}/bin`] } }),
      {
        exitCode: 1,
        code: 'MENTION_UNKNOWN',
        about: [UNKNOWN, 'Env'],
      },
    ));
});

describe('a wrong destination', () => {
  const description = join(HELLO, 'image.json');

  it('is in a directory that does not exist', () => {
    const file = join(newDirectory(), 'missing', 'image.tar');
    return assertFailure(['build', description, '--to', `docker-archive:${file}`], {
      exitCode: 1,
      code: 'DESTINATION_UNWRITABLE',
      about: [file],
    });
  });

  it('is a directory', () => {
    const file = newDirectory();
    return assertFailure(['build', description, '--to', `oci-archive:${file}`], {
      exitCode: 1,
      code: 'DESTINATION_UNWRITABLE',
      about: [file],
    });
  });

  it('leaves a good one unwritten too, and what stood there as it was', async () => {
    const output = newDirectory();
    const good = join(output, 'good.tar');
    writeFileSync(good, 'an older image');
    const bad = join(output, 'missing', 'image.tar');
    await assertFailure(['build', description, '--to', `docker-archive:${good}`, `docker-archive:${bad}`], {
      exitCode: 1,
      code: 'DESTINATION_UNWRITABLE',
      about: [bad],
    });
    assert.deepEqual(readdirSync(output), ['good.tar']);
    assert.equal(readFileSync(good, 'utf8'), 'an older image');
  });
});

function copyOfCache(): string {
  const cache = join(newDirectory(), 'cache');
  cpSync(join(HELLO, 'cache'), cache, { recursive: true });
  return cache;
}

function narinfoOf(cache: string, name: string): string {
  const files = readdirSync(cache).filter((file) => file.endsWith('.narinfo'));
  const isWanted = (file: string): boolean => fieldOf(join(cache, file), 'StorePath').endsWith(`-${name}`);
  return join(cache, files.find(isWanted) ?? `no narinfo of ${name}`);
}

/** The file that a narinfo's URL names. */
function narOf(narinfo: string): string {
  return join(dirname(narinfo), fieldOf(narinfo, 'URL'));
}

function fieldOf(narinfo: string, field: string): string {
  return new RegExp(`^${field}: (.*)$`, 'm').exec(readFileSync(narinfo, 'utf8'))?.[1] ?? '';
}

describe('a broken binary cache', () => {
  it('lacks a path, and the error says who refers to it', () => {
    const cache = copyOfCache();
    rmSync(narinfoOf(cache, 'hello.conf'));
    return assertBuildFailure(describeImage({ store: `file://${cache}` }), {
      exitCode: 1,
      code: 'CLOSURE_INCOMPLETE',
      about: ['hello.conf', 'hello-program-1.0'],
    });
  });

  it("has another path's NAR under a path's name", () => {
    const cache = copyOfCache();
    const nar = narOf(narinfoOf(cache, 'hello.conf'));
    cpSync(narOf(narinfoOf(cache, 'hello-program-1.0')), nar);
    return assertBuildFailure(describeImage({ store: `file://${cache}` }), {
      exitCode: 1,
      code: 'NAR_MISMATCH',
      about: [nar],
    });
  });

  it('has a NAR that is cut off', () => {
    const cache = copyOfCache();
    const nar = narOf(narinfoOf(cache, 'greetings-1.0'));
    const whole = readFileSync(nar);
    writeFileSync(nar, whole.subarray(0, -20));
    return assertBuildFailure(describeImage({ store: `file://${cache}` }), {
      exitCode: 1,
      code: 'NAR_MISMATCH',
      about: [nar, `${whole.length - 20} bytes instead of ${whole.length}`],
    });
  });

  it('is none', () =>
    assertBuildFailure(describeImage({ store: `file://${newDirectory()}` }), {
      exitCode: 1,
      code: 'BINARY_CACHE_INVALID',
      about: ['nix-cache-info'],
    }));
});
