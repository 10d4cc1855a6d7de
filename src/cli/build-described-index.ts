/** Builds the images of an `index`, each from the store that it names. */
import {
  buildIndex,
  type BuildIndexOptions,
  type BuiltIndex,
  type Destination,
  familiarName,
  type ImageReference,
  type IndexPart,
  type IndexPlace,
  type Registries,
  requireReference,
  type Store,
} from '../index.ts';
import type { Described, DescribedIndex } from './description-options.ts';
import { print, printJson, say, warn } from './output.ts';
import { openUserStore, type StoreFlags, withTypedPaths } from './store-options.ts';
import { usageError } from './usage-error.ts';

export interface DescribedIndexOptions extends Omit<BuildIndexOptions, 'places' | 'annotations'> {
  readonly destinations: readonly Destination[];
  readonly registries: Registries;
  readonly signal: AbortSignal;
}

/** @throws as buildIndex; UsageError */
export async function buildDescribedIndex(
  { settings, index }: Described & { readonly index: DescribedIndex },
  { flags, ...options }: DescribedIndexOptions & { readonly flags: StoreFlags },
): Promise<BuiltIndex> {
  const { name, tag = 'latest' } = settings;
  const own = name === undefined ? undefined : { name, tag };
  const places = options.destinations.map((to) => placeOf(to, { own, ...options }));
  using opened = new DisposableStack();
  const stores = new Map<string, Store>();
  const parts: IndexPart[] = [];
  for (const { settings: described, descriptorAnnotations, ...place } of index.images) {
    const key = JSON.stringify(place);
    const store = stores.get(key) ?? opened.adopt(await openUserStore(place, flags), (one) => one.close());
    stores.set(key, store);
    const whole = await withTypedPaths(described, { store, flags, signal: options.signal });
    parts.push({ settings: { ...whole, name }, store, annotations: descriptorAnnotations });
  }
  return await buildIndex(parts, { ...options, places, annotations: index.annotations });
}

function placeOf(
  destination: Destination,
  { own, registries }: { readonly own: ImageReference | undefined; readonly registries: Registries },
): IndexPlace {
  if (destination.kind !== 'registry' && destination.kind !== 'layout')
    throw usageError('an index goes to registries and layouts alone', 'use docker://NAME or oci:DIR');
  const reference = destination.reference?.(own) ?? requireReference(own);
  return destination.kind === 'registry'
    ? { kind: 'registry', reference, registries }
    : { kind: 'layout', directory: destination.directory, reference };
}

export function reportIndex(
  { descriptor, images }: BuiltIndex,
  { json, quiet }: { readonly json?: true; readonly quiet?: true },
): void {
  if (json === true) printJson({ ...descriptor, images });
  else print(`${descriptor.digest}\n`);
  if (quiet === true) return;
  for (const warning of new Set(images.flatMap(({ warnings }) => warnings))) warn(warning);
  for (const { reference, imageID, layers, made } of images) {
    const name = reference === undefined ? 'image' : familiarName(reference);
    say(`${name}: ${layers.length} layers (${made} made), image ID ${imageID}`);
  }
  say(`index ${descriptor.digest}: ${images.length} images`);
}
