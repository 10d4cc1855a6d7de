/**
 * What kind of engine answers: it decides what an image's ID is, and which layers may be left out of an archive.
 *
 * | kind | image ID | a layer may be missing when | tried with |
 * |---|---|---|---|
 * | `classic` | digest of the config | it and all below it are an image's lowest layers there | Docker 20.10, 28.5 |
 * | `containerd` | digest of the manifest | its blob is there | Docker 28.5, containerd 1.6 |
 * | `podman` | digest of the config | a layer with its diff ID is there | podman 4.3 |
 */
import { z } from 'zod';
import type { DaemonClient } from './daemon-client.ts';
import { daemonFailure } from './daemon-error.ts';

export interface Engine {
  readonly kind: 'classic' | 'containerd' | 'podman';
  /** Whether it tells if an image has all its blobs. Without that nothing is left out of what a containerd store gets. */
  readonly tellsMissing: boolean;
}

const version = z.object({
  ApiVersion: z.string().optional(),
  Components: z.array(z.object({ Name: z.string() })).nullish(),
});
const info = z.object({ DriverStatus: z.array(z.array(z.string())).nullish() });

/** @throws PhylloError DAEMON_UNREACHABLE, DAEMON_FAILED; the signal's reason */
export async function readEngine(client: DaemonClient): Promise<Engine> {
  const [versionAnswer, infoAnswer] = await Promise.all([client.find('/version'), client.find('/info')]);
  const about = version.safeParse(versionAnswer);
  const state = info.safeParse(infoAnswer);
  if (!about.success || !state.success)
    throw daemonFailure(
      `at ${client.name} makes no sense`,
      'it does not say what it is; is it an engine at all?',
    );
  if (about.data.Components?.some(({ Name: name }) => name === 'Podman Engine'))
    return { kind: 'podman', tellsMissing: true };
  const isContainerd = state.data.DriverStatus?.some(
    ([name, value]) => name === 'driver-type' && value === 'io.containerd.snapshotter.v1',
  );
  if (isContainerd !== true) return { kind: 'classic', tellsMissing: true };
  return { kind: 'containerd', tellsMissing: isAtLeast(about.data.ApiVersion ?? '', [1, 48]) };
}

function isAtLeast(text: string, [major, minor]: readonly [number, number]): boolean {
  const [own = 0, ownMinor = 0] = text.split('.').map(Number);
  return own > major || (own === major && ownMinor >= minor);
}
