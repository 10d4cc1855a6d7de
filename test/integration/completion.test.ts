/** Completion in the shells themselves: bash and zsh on a terminal with the key pressed, fish through its own `complete`. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, it } from 'node:test';
import { phylloChecked } from './support/phyllo.ts';
import { run, runChecked, start, waitUntil } from './support/process.ts';
import { describeWith } from './support/requirements.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const directory = temporaryDirectory();
const STORE = join(directory, 'store');
const HELLO = '1m1bzmzi2pr6xbnqb2lzmaw4gyhxq0a9-hello-2.12';

mkdirSync(join(STORE, HELLO), { recursive: true });
writeFileSync(join(STORE, `${HELLO}.drv`), '');
mkdirSync(join(STORE, '1n2bzmzi2pr6xbnqb2lzmaw4gyhxq0a9-glibc-2.40'));
mkdirSync(join(directory, 'a dir'));
writeFileSync(join(directory, 'image.json'), '');
writeFileSync(join(directory, 'a dir/my image.tar'), '');

/** What is typed, and what stands there after the key. */
const LINES: readonly (readonly [string, string])[] = [
  ['bui', 'build '],
  ['cache pru', 'cache prune '],
  ['help dif', 'help diff '],
  ['build --form', 'build --format '],
  ['build --format d', 'build --format dockertools '],
  ['build --layering ste', 'build --layering steady '],
  ['build --json --to docker-a', 'build --json --to docker-archive:'],
  ['build --to docker-archive:im', 'build --to docker-archive:image.json '],
  ['build --to - oci:a', 'build --to - oci:a\\ dir/'],
  ['build --to=oci-archive:im', 'build --to=oci-archive:image.json '],
  ['build im', 'build image.json '],
  ['build --config @im', 'build --config @image.json '],
  ['inspect docker-archive:a\\ dir/my', 'inspect docker-archive:a\\ dir/my\\ image.tar '],
  ['copy image.json rootf', 'copy image.json rootfs:'],
  [`build --contents ${STORE}/1m`, `build --contents ${STORE}/${HELLO} `],
  ['closure 1m', `closure ${HELLO} `],
  [`build --include bin-sh=${STORE}/1m`, `build --include bin-sh=${STORE}/${HELLO} `],
  ['completion z', 'completion zsh '],
  ['nonsense --nonsen', 'nonsense --nonsen'],
];

const DUMP = '\x18\x10';
const KILL_LINE = '\x15';

describeWith(['bash'], 'completion in bash', () => {
  let script: string;
  before(async () => {
    script = await scriptFor('bash');
  });

  it('completes what is typed', async () => {
    const dump = join(directory, 'bash-lines');
    const rc = join(directory, 'bashrc');
    writeFileSync(
      rc,
      [
        `source ${script}`,
        `bind -x '"\\C-x\\C-p": printf "%s\\n" "$READLINE_LINE" >> ${dump}'`,
        "bind 'set bell-style none'",
        "PS1='READY> '",
      ].join('\n'),
    );
    await typeInto(`bash --noprofile --rcfile ${rc} -i`, { dump, env: {} });
  });

  it('completes inside quotes', async () => {
    const call = `source ${script}; COMP_WORDS=(phyllo inspect '"docker-archive:a d') COMP_CWORD=2 COMP_LINE='phyllo inspect "docker-archive:a d' COMP_POINT=34; _phyllo; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const stdout = await runChecked('bash', ['-c', call], { cwd: directory });
    assert.equal(stdout, 'docker-archive:a dir/\n');
  });
});

describeWith(['zsh'], 'completion in zsh', () => {
  it('completes what is typed', async () => {
    const dump = join(directory, 'zsh-lines');
    const home = join(directory, 'zsh');
    mkdirSync(home);
    writeFileSync(
      join(home, '.zshrc'),
      [
        'autoload -Uz compinit; compinit -u -D',
        `source ${await scriptFor('zsh')}`,
        `dump() { print -r -- "$BUFFER" >> ${dump} }; zle -N dump; bindkey '^X^P' dump`,
        "bindkey '^U' kill-whole-line; setopt no_beep; PS1='READY> '",
      ].join('\n'),
    );
    await typeInto('zsh -i', { dump, env: { ZDOTDIR: home } });
  });
});

describeWith(['fish'], 'completion in fish', () => {
  it('offers what goes on with what is typed', async () => {
    const lines = LINES.map(([typed]) => `complete -C ${quoted(`phyllo ${typed}`)}; echo ==`);
    const script = join(directory, 'lines.fish');
    writeFileSync(script, [`source ${await scriptFor('fish')}`, ...lines].join('\n'));
    const { stdout, stderr } = await run('fish', ['--no-config', script], { cwd: directory });
    assert.equal(stderr, '');
    const offered = stdout
      .split('==\n')
      .slice(0, -1)
      .map((text) => text.split(/\t.*\n|\n/).filter(Boolean));
    const lastWord = (line: string): string =>
      /(?:\\.|[^ ])+(?= ?$)/.exec(line)?.[0].replaceAll('\\', '') ?? '';
    const expected = LINES.map(([typed, completed]) => (typed === completed ? [] : [lastWord(completed)]));
    assert.deepEqual(offered, expected);
  });
});

/** A script of phyllo's whose store is that of the test. */
async function scriptFor(shell: string): Promise<string> {
  const file = join(directory, `completion.${shell}`);
  const text = await phylloChecked(['completion', shell]);
  writeFileSync(file, text.replaceAll('/nix/store', STORE));
  return file;
}

/** Types each line into a shell on a terminal, presses the key, and compares what stands there. */
async function typeInto(
  shell: string,
  { dump, env }: { readonly dump: string; readonly env: Readonly<Record<string, string>> },
): Promise<void> {
  const child = start('script', ['-qfc', shell, '/dev/null'], {
    cwd: directory,
    env: { ...env, TERM: 'dumb', SHELL: '/bin/sh' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let seen = '';
  child.stdout?.on('data', (chunk: Buffer) => (seen += chunk.toString()));
  try {
    await waitUntil(() => seen.includes('READY> '), { what: 'the shell is ready', child });
    const results = (): string[] =>
      existsSync(dump) ? readFileSync(dump, 'utf8').split('\n').slice(0, -1) : [];
    for (const [i, [typed]] of LINES.entries()) {
      child.stdin?.write(`phyllo ${typed}\t${DUMP}`);
      await waitUntil(() => results().length > i, { what: `phyllo ${typed} was completed`, child });
      child.stdin?.write(KILL_LINE);
    }
    assert.deepEqual(
      results(),
      LINES.map(([, completed]) => `phyllo ${completed}`),
    );
    assert.doesNotMatch(seen, /not found|no such|error|bad /i);
  } finally {
    child.stdin?.end('exit\n');
    child.kill();
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll(/[\\']/g, '\\$&')}'`;
}
