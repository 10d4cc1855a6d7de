/** The layers of an image on their way to being made: what is known of each, and how its source is got when somebody needs its bytes. */
import { customiseImage, type SeenCustomisation } from './customise-image.ts';
import type { ImageLayer, PreparedLayer } from './image/image.ts';
import { CUSTOMISATION_HISTORY, storeLayerHistory } from './image/image-config.ts';
import type { ImageSettings } from './image/image-settings.ts';
import { permissionsFor } from './image/path-permissions.ts';
import { contentsLayerKey, type LayerKey, storeLayerKey } from './layer/layer-key.ts';
import { isMeasured, type LayerSource, layerTarSize } from './layer/layer-source.ts';
import type { ListedPaths } from './listed-paths.ts';
import { type ImagePlan, type ImageRoots, readRoots, storeContents } from './plan-image.ts';
import type { Closure, PathInfo, Store } from './store/store.ts';
import { storePathName, type StorePath } from './store/store-path.ts';

interface LayerOptions {
  readonly plan: ImagePlan;
  readonly store: Store;
  readonly listed: ListedPaths;
}

/** Those of the plan, in its order. */
export function storeLayers(
  settings: ImageSettings,
  {
    plan,
    listed,
    store,
    again,
    verify,
  }: LayerOptions & { readonly again: boolean; readonly verify: boolean },
): ImageLayer[] {
  const { ownership } = settings;
  // The customisation layer lists them, too: a NAR that both want is read in one place.
  const contents = new Set<StorePath>(storeContents(readRoots(settings, store.storeDir)));
  return plan.layers.map(({ paths }) => {
    const names = paths.map(({ path }) => path);
    const permissions = permissionsFor(names, settings.permissions);
    const list = async (exact: boolean): Promise<Prepared> => {
      const found = await Promise.all(
        paths.map(async (info) => ({
          ...(await (exact || contents.has(info.path)
            ? listed.get(info.path)
            : listed.find(info, { again }))),
          ...(verify ? { narHash: info.narHash } : {}),
        })),
      );
      return { source: { kind: 'store', paths: found, ownership }, warnings: [] };
    };
    const key = storeLayerKey(paths, { ownership, permissions });
    return imageLayer(
      { kind: 'store', label: labelOf(paths), key, history: storeLayerHistory(names), storePaths: names },
      list,
    );
  });
}

/** The largest path's name, and how many others there are. */
function labelOf(paths: readonly PathInfo[]): string {
  const largest = paths.reduce((one, other) => (other.narSize > one.narSize ? other : one));
  return `${storePathName(largest.path)}${paths.length === 1 ? '' : ` and ${paths.length - 1} more`}`;
}

export function customisationLayer(
  settings: ImageSettings,
  {
    plan,
    store,
    listed,
    first,
  }: LayerOptions & {
    /** Undefined: the layer depends on the contents alone and is made when it is needed. */
    readonly first: SeenCustomisation | undefined;
  },
): ImageLayer {
  const roots = readRoots(settings, store.storeDir);
  const key = first === undefined ? contentsKey(roots, plan.closure) : undefined;
  const layer = {
    kind: 'customisation',
    label: 'customisation',
    key,
    history: CUSTOMISATION_HISTORY,
  } as const;
  return imageLayer(layer, async () => first ?? (await customiseImage(storeContents(roots), listed)));
}

/** Undefined when there is more to it, or the closure does not have them all: what is not in the image has no known hash. */
function contentsKey(roots: ImageRoots, { paths }: Closure): LayerKey | undefined {
  const contents = storeContents(roots);
  const infos = new Map(paths.map((info) => [info.path, info]));
  const known = contents.flatMap((path) => infos.get(path) ?? []);
  const isAll = known.length === roots.contents.length && roots.copyToRoot.length === 0;
  return isAll ? contentsLayerKey(known) : undefined;
}

interface Prepared {
  readonly source: LayerSource;
  readonly warnings: readonly string[];
}

/** @param make called when somebody needs the layer's bytes, and again when somebody else needs its size before */
function imageLayer(
  layer: Omit<ImageLayer, 'prepare'>,
  make: (exact: boolean) => Promise<Prepared>,
): ImageLayer {
  let prepared: Promise<PreparedLayer> | undefined;
  let measured: Promise<PreparedLayer> | undefined;
  const prepare = async (exact: boolean): Promise<PreparedLayer> => {
    const made = await make(exact);
    return { ...made, size: layerTarSize(made.source), isEstimate: !isMeasured(made.source) };
  };
  return {
    ...layer,
    prepare({ exact } = { exact: false }) {
      if (exact) measured ??= prepare(true);
      return measured ?? (prepared ??= prepare(false));
    },
  };
}
