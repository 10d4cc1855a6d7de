/**
 * Draws docs/report.png: the report of an update of a real image, of the histories in bench/corpora/, in Chromium.
 *
 *     npm run build && npx node scripts/draw-report.ts
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { chromium } from 'playwright-core';

interface Snapshot {
  readonly nodes: readonly {
    readonly path: string;
    readonly narSize: number;
    readonly references: readonly number[];
  }[];
  readonly roots: readonly number[];
}

const CORPUS = 'deb-multi1-testing.nix.json.gz';
/** Two releases, between which some packages changed. */
const [BEFORE, AFTER] = [14, 15];
const SELECTED = 'libxml2';

const repository = join(import.meta.dirname, '..');
const directory = mkdtempSync(join(tmpdir(), 'phyllo-report-'));

try {
  const history = JSON.parse(
    gunzipSync(readFileSync(join(repository, 'bench/corpora', CORPUS))).toString('utf8'),
  ) as { readonly snapshots: readonly Snapshot[] };
  plan('app-1.0', { snapshot: history.snapshots[BEFORE]!, previous: undefined });
  plan('app-1.1', { snapshot: history.snapshots[AFTER]!, previous: 'app-1.0.plan' });
  phyllo(
    'report',
    'app-1.1.plan',
    '--previous',
    'app-1.0.plan',
    '--graph',
    'app-1.1.graph',
    '--output',
    'app.html',
  );
  await draw(join(directory, 'app.html'), join(repository, 'docs/report.png'));
} finally {
  rmSync(directory, { recursive: true });
}

function plan(
  name: string,
  { snapshot, previous }: { readonly snapshot: Snapshot; readonly previous: string | undefined },
): void {
  const pathOf = (place: number): string => snapshot.nodes[place]!.path;
  const graph = snapshot.nodes.map(({ path, narSize, references }) => ({
    path,
    narSize,
    narHash: `sha256:${'0'.repeat(64)}`,
    references: references.map(pathOf),
  }));
  writeFileSync(join(directory, `${name}.graph`), JSON.stringify(graph));
  writeFileSync(
    join(directory, 'image.json'),
    JSON.stringify({ name, contents: snapshot.roots.map(pathOf) }),
  );
  const known = previous === undefined ? [] : ['--previous', previous];
  const options = ['--graph', `${name}.graph`, '--max-layers', '40', '--json', ...known];
  writeFileSync(join(directory, `${name}.plan`), phyllo('plan', 'image.json', ...options));
}

function phyllo(...args: readonly string[]): Buffer {
  return execFileSync(process.execPath, [join(repository, 'bin/phyllo.cjs'), ...args], { cwd: directory });
}

async function draw(file: string, picture: string): Promise<void> {
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
  });
  try {
    const page = await browser.newPage({ viewport: { width: 1180, height: 1320 } });
    await page.goto(`file://${file}`);
    await page
      .locator('[role=treeitem]', { hasNotText: '\0' })
      .and(page.getByLabel(SELECTED))
      .first()
      .click();
    await page.evaluate('scrollTo(0, 0)');
    await page.screenshot({ path: picture });
  } finally {
    await browser.close();
  }
}
