/** A comparison with the streamer is one of equals only when both make the same bytes. */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Closure, measure, PHYLLO, readLines, STREAMER, writeImageDescription } from './support.ts';

/** Builds the closure's image both ways in `work`, where it leaves the plan for the streamer: `plan.json`. */
export function verifySameLayers(closure: Closure, work: string): void {
  const [plan, digests, archive] = ['plan.json', 'digests', 'verify.tar'].map((name) => join(work, name)) as [
    string,
    string,
    string,
  ];
  const image = [...writeImageDescription(closure, work), '--max-layers', '100'];
  measure([...PHYLLO, 'plan', ...image, '--json'], { stdout: plan });
  measure([...STREAMER, plan, '-', `--root=${closure.root}`, '--digests', digests], { stdout: '/dev/null' });
  measure([...PHYLLO, 'build', ...image, '--quiet', '--no-cache', '--to', `docker-archive:${archive}`], {
    stdout: '/dev/null',
  });
  const storeLayers = diffIds(archive).slice(0, -1);
  rmSync(archive);
  if (readLines(digests).join() !== storeLayers.join())
    throw new Error('the streamer and phyllo make different layers');
}

function diffIds(archive: string): readonly string[] {
  const [manifest] = JSON.parse(readMember(archive, 'manifest.json')) as [{ readonly Config: string }];
  const config = JSON.parse(readMember(archive, manifest.Config)) as {
    readonly rootfs: { readonly diff_ids: readonly string[] };
  };
  return config.rootfs.diff_ids;
}

function readMember(archive: string, name: string): string {
  return execFileSync('tar', ['-xOf', archive, name], { encoding: 'utf8' });
}
