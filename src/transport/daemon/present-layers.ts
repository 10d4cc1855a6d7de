/**
 * Which of an image's layers an engine has. No call of its API asks for a layer: what its images consist of tells.
 *
 * The classic store knows a layer by its chain ID, which depends on all layers below it: present are the lowest layers that the image
 * has in common with one that is there. Elsewhere a layer is known by itself; a diff ID that is there says the same of a blob that is
 * not compressed.
 *
 * What is found is an expectation: an image may be removed meanwhile, and a containerd store may have got a layer as another blob. The
 * engine's answer to the archive decides.
 */
import pLimit from 'p-limit';
import { z } from 'zod';
import type { Digest } from '../../digest.ts';
import { type DaemonClient, imagePath } from './daemon-client.ts';
import type { Engine } from './engine.ts';

export interface LayerToFind {
  readonly diffID: Digest;
  /** Of its blob. */
  readonly digest: Digest;
}

/**
 * Indices of layers, from the bottom.
 * @throws PhylloError DAEMON_UNREACHABLE, DAEMON_FAILED; the signal's reason
 */
export async function findPresentLayers(
  client: DaemonClient,
  { engine, layers }: { readonly engine: Engine; readonly layers: readonly LayerToFind[] },
): Promise<ReadonlySet<number>> {
  if (!engine.tellsMissing) return new Set();
  const images = await listDiffIDs(client);
  if (engine.kind === 'classic')
    return new Set(Array.from({ length: commonHeight(layers, images) }, (_, i) => i));
  const known = new Set(images.flat());
  return new Set([...layers.keys()].filter((i) => known.has((layers[i] as LayerToFind).digest)));
}

function commonHeight(layers: readonly LayerToFind[], images: readonly (readonly string[])[]): number {
  const heights = images.map((diffIDs) => {
    const first = layers.findIndex(({ diffID }, i) => diffIDs[i] !== diffID);
    return first === -1 ? layers.length : first;
  });
  return Math.max(0, ...heights);
}

const imageList = z.array(z.object({ Id: z.string() }));
const imageDetails = z.object({ RootFS: z.object({ Layers: z.array(z.string()).nullish() }).nullish() });
const REQUESTS_AT_A_TIME = 8;

/** Of all images, bottom to top. */
async function listDiffIDs(client: DaemonClient): Promise<readonly (readonly string[])[]> {
  const list = imageList.safeParse(await client.find('/images/json'));
  const ids = new Set(list.data?.map(({ Id: id }) => id));
  const limit = pLimit(REQUESTS_AT_A_TIME);
  return await Promise.all([...ids].map((id) => limit(async () => await diffIDsOf(client, id))));
}

/** None for an image that is gone, or that the engine cannot describe. */
async function diffIDsOf(client: DaemonClient, id: string): Promise<readonly string[]> {
  const response = await client.send({ path: imagePath(id, 'json') });
  if (response.status !== 200) {
    await response.discard();
    return [];
  }
  const details = imageDetails.safeParse(JSON.parse(await client.text(response)));
  return details.data?.RootFS?.Layers ?? [];
}
