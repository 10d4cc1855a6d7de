/** Which store paths an image needs, and how they are divided: everything that can be said before a file is read. */
import type { ImageSettings } from './image/image-settings.ts';
import { PhylloError } from './errors.ts';
import type { Memory } from './layer/digest-cache.ts';
import type { LayerPlan } from './plan/layer-plan.ts';
import type { ChangeRecord } from './plan/change-record.ts';
import type { PlannedLayers } from './plan/plan-layers.ts';
import type { PreviousLayers } from './plan/steady.ts';
import { planOnce } from './plan-once.ts';
import { isPlainDirectory } from './store/directory-tree.ts';
import { findMentions, resolveMentions } from './store/mentions.ts';
import type { Closure, Store } from './store/store.ts';
import { parseStorePath, type StorePath } from './store/store-path.ts';

export interface ImagePlan {
  /** Empty for an image without store paths. */
  readonly closure: Closure;
  /** Store layers, bottom to top; the customisation layer comes above them. */
  readonly layers: readonly LayerPlan[];
  /** One sentence each. */
  readonly warnings: readonly string[];
  /** What the image carries for the next one's plan; undefined where there is nothing to tell. */
  readonly changes: ChangeRecord | undefined;
}

/** What a description puts into the image, checked. */
export interface ImageRoots {
  /** In the description's order. */
  readonly contents: readonly ContentRoot[];
  readonly copyToRoot: readonly StorePath[];
  readonly excluded: readonly StorePath[];
}

export type ContentRoot =
  | { readonly kind: 'store'; readonly path: StorePath }
  /** An absolute path outside the store. */
  | { readonly kind: 'directory'; readonly path: string };

export interface PlanImageOptions {
  /** What the customisation layer turned out to mention; undefined when nobody has looked. */
  readonly mentioned?: readonly StorePath[] | undefined;
  /** Layers of the base image. */
  readonly baseLayers?: number;
  /** The image before; only the layering `steady` uses it. */
  readonly previous?: PreviousLayers | undefined;
  /** Plans that were made before; without it the plan is made. */
  readonly plans?: Memory | undefined;
  /** Called before the plan is made, and not when it is remembered. */
  readonly onMake?: (() => void) | undefined;
}

/**
 * @throws PhylloError STORE_PATH_INVALID, STORE_PATH_UNKNOWN, MENTION_UNKNOWN, CLOSURE_INCOMPLETE, CLOSURE_CYCLE,
 * BUDGET_TOO_SMALL, TOO_MANY_LAYERS, LAYERING_INVALID, PIPELINE_INVALID, and what the store throws
 */
export async function planImage(
  settings: ImageSettings,
  store: Store,
  { mentioned, baseLayers = 0, previous, plans, onMake }: PlanImageOptions = {},
): Promise<ImagePlan> {
  const roots = readRoots(settings, store.storeDir);
  const closure = await closureOf(settings, { store, roots, mentioned: mentioned ?? [] });
  const layering = { ...settings.layering, ignore: roots.excluded };
  const { maxLayers, explicitLayers, minLayerSize } = settings;
  const options = {
    layering: layering.kind === 'steady' && previous !== undefined ? { ...layering, previous } : layering,
    maxLayers,
    baseLayers,
    explicitLayers,
    minLayerSize,
  };
  const { layers, warnings, changes }: PlannedLayers = settings.includeStorePaths
    ? planOnce(closure, options, { memory: plans, onMake })
    : { layers: [], warnings: [] };
  const unused = unusedPermissions(settings, { closure, roots });
  const unseen = mentioned === undefined && hasUnseenFiles(settings, roots) ? [UNSEEN_WARNING] : [];
  return {
    closure,
    layers,
    changes: changes === undefined || changes.steps === 0 ? undefined : changes,
    warnings: [...settings.warnings, ...warnings, ...unused, ...unseen],
  };
}

/** A rule about a path that is not there does nothing, and whoever wrote it should know. */
function unusedPermissions(
  { permissions }: ImageSettings,
  { closure, roots }: { readonly closure: Closure; readonly roots: ImageRoots },
): string[] {
  const present = [...closure.paths, ...roots.contents].map(({ path }) => path);
  const known = new Set<string | undefined>([...present, ...roots.copyToRoot, undefined]);
  const unknown = permissions.filter(({ path }) => !known.has(path));
  return unknown.map(({ path }) => `perms: ${path} is not in the image`);
}

const UNSEEN_WARNING =
  'store paths that the output of commands or the files of a directory mention are not in this plan';

/** Whether the customisation layer is more than links to contents: then it comes before the plan, and what it mentions is known. */
export function isCustomisedFirst(settings: ImageSettings, roots: ImageRoots): boolean {
  const { permissions, included, includeNixDB, customisationLayer } = settings;
  if (customisationLayer !== undefined) return true;
  const isMore = permissions.length > 0 || included.length > 0 || includeNixDB;
  return isMore || roots.copyToRoot.length > 0 || hasUnseenFiles(settings, roots);
}

function hasUnseenFiles({ commands, customisationLayer }: ImageSettings, { contents }: ImageRoots): boolean {
  return (
    customisationLayer !== undefined ||
    commands.extra !== '' ||
    commands.fakeRoot !== '' ||
    contents.some(({ kind }) => kind === 'directory')
  );
}

export function storeContents({ contents }: ImageRoots): readonly StorePath[] {
  return contents.flatMap((root) => (root.kind === 'store' ? [root.path] : []));
}

/** @throws PhylloError STORE_PATH_INVALID */
export function readRoots(settings: ImageSettings, storeDir: string): ImageRoots {
  const directories = new Set(
    settings.contents.filter((text) => !text.startsWith(`${storeDir}/`) && isPlainDirectory(text)),
  );
  const inStore = settings.contents.map((text) => (directories.has(text) ? undefined : text));
  const paths = parsePaths('contents', inStore, storeDir);
  return {
    contents: settings.contents.map((text, i) => {
      const path = paths[i];
      return path === undefined ? { kind: 'directory', path: text } : { kind: 'store', path };
    }),
    copyToRoot: onlyPaths(parsePaths('copyToRoot', settings.copyToRoot, storeDir)),
    excluded: onlyPaths(parsePaths('excludePaths', settings.excludePaths, storeDir)),
  };
}

interface ClosureOptions {
  readonly store: Store;
  readonly roots: ImageRoots;
  readonly mentioned: readonly StorePath[];
}

async function closureOf(
  settings: ImageSettings,
  { store, roots, mentioned }: ClosureOptions,
): Promise<Closure> {
  if (!settings.includeStorePaths) {
    await store.closure([...storeContents(roots), ...roots.copyToRoot]);
    return { storeDir: store.storeDir, roots: [], paths: [] };
  }
  const inConfig = await resolveMentions(
    findMentions({ config: settings.config, include: linksOf(settings) }, store.storeDir),
    store,
  );
  const copied = await referencesOf(roots.copyToRoot, store);
  const all = [...storeContents(roots), ...copied, ...roots.excluded, ...inConfig, ...mentioned];
  return await store.closure([...new Set(all)]);
}

function linksOf({ included }: ImageSettings): string[] {
  return included.flatMap((file) => (file.kind === 'symlink' ? [file.target] : []));
}

/** What is copied is not in the store itself, unless it refers to itself there. */
async function referencesOf(copied: readonly StorePath[], store: Store): Promise<readonly StorePath[]> {
  if (copied.length === 0) return [];
  const { paths } = await store.closure(copied);
  return paths.filter(({ path }) => copied.includes(path)).flatMap(({ references }) => references);
}

function onlyPaths(paths: readonly (StorePath | undefined)[]): readonly StorePath[] {
  return paths.filter((path) => path !== undefined);
}

/** Reports every text that is not a store path; undefined stays. */
function parsePaths(
  field: string,
  texts: readonly (string | undefined)[],
  storeDir: string,
): (StorePath | undefined)[] {
  const problems: string[] = [];
  const paths = texts.map((text, i) => {
    try {
      return text === undefined ? undefined : parseStorePath(text, storeDir);
    } catch (error) {
      if (!(error instanceof PhylloError)) throw error;
      problems.push(`${field}[${i}]: ${error.message}`);
      return undefined;
    }
  });
  if (problems.length === 0) return paths;
  throw new PhylloError('STORE_PATH_INVALID', problems.join('; '), {
    hint: `${field} takes whole store paths: ${storeDir}/<32 characters>-<name>`,
  });
}
