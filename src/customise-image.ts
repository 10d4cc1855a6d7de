/**
 * The customisation layer: the contents joined at `/`, copies, and what the description's commands make of them. Where it is more
 * than links to contents it comes before the plan, since what its files mention is in the image, too.
 */
import { dirname, join } from 'node:path';
import { writeIncluded, writeNixState } from './customise/generated-tree.ts';
import { makeTree, readTree, type Sight } from './customise/private-tree.ts';
import { runChrootCommands, runExtraCommands, runFakeRootCommands } from './customise/run-commands.ts';
import { openFinishedLayer } from './customise/finished-layer.ts';
import { findTreeMentions, type TreeMentions } from './customise/tree-mentions.ts';
import { unpackNar } from './customise/unpack-nar.ts';
import type { WorkDirectory } from './customise/work-directory.ts';
import { PhylloError } from './errors.ts';
import {
  type Content,
  type ContentConflict,
  CUSTOMISATION_MTIME_SECONDS,
  joinContents,
} from './image/customisation.ts';
import { type PathPermissions, permissionsFor } from './image/path-permissions.ts';
import type { ImageSettings } from './image/image-settings.ts';
import type { CustomisationMember, LayerSource } from './layer/layer-source.ts';
import { matcherOf, permittedMember } from './layer/permissions.ts';
import { type ListedPaths, latin1 } from './listed-paths.ts';
import { type ImageRoots, isCustomisedFirst, readRoots, storeContents } from './plan-image.ts';
import { scanDirectoryTree } from './store/directory-tree.ts';
import type { Store } from './store/store.ts';
import { baseName, type StorePath } from './store/store-path.ts';
import type { TreeSource } from './store/tree.ts';
import { listingEntries } from './store/tree-listing.ts';

export interface Customisation {
  readonly source: LayerSource;
  /** One sentence each. */
  readonly warnings: readonly string[];
}

/** Whoever gets it disposes of it, after the last use of its source. */
export interface SeenCustomisation extends Customisation, Disposable {
  /** Store paths that files of the layer mention. */
  readonly mentioned: readonly StorePath[];
  /** A hash of all that is in the layer. */
  readonly fingerprint: string;
}

/**
 * Links to contents, which may be made whenever there is time: the plan knows what they mention.
 * The store must have been asked for their closure.
 * @throws PhylloError CONTENT_NOT_DIRECTORY, and what listing a path throws
 */
export async function customiseImage(
  contents: readonly StorePath[],
  listed: ListedPaths,
): Promise<Customisation> {
  const joined = joinContents(await Promise.all(contents.map((path) => linksTo(path, listed))));
  return { source: layerOf(joined.members), warnings: describeConflicts(joined.conflicts) };
}

export interface CustomiseOptions {
  readonly store: Store;
  readonly listed: ListedPaths;
  /** Must last until the layer's bytes are made. */
  readonly work: WorkDirectory;
  readonly signal: AbortSignal | undefined;
}

/**
 * The customisation layer when it is more than links to contents, else undefined.
 * @throws PhylloError CONTENT_NOT_DIRECTORY, COMMAND_FAILED, PROGRAM_MISSING, STORE_UNSUPPORTED, FILE_TYPE_UNSUPPORTED, and what
 * listing a path throws; the signal's reason
 */
export async function customiseFirst(
  settings: ImageSettings,
  options: CustomiseOptions,
): Promise<SeenCustomisation | undefined> {
  const roots = readRoots(settings, options.store.storeDir);
  if (!isCustomisedFirst(settings, roots)) return undefined;
  if (settings.customisationLayer !== undefined)
    return await finishedCustomisation(settings.customisationLayer, options);
  const customising = { ...options, settings, roots };
  await options.store.closure([...storeContents(roots), ...roots.copyToRoot]);
  const generated = await generate(customising);
  const contents = await readContents(customising);
  const joined = joinContents([...contents, ...generated.map(copyOfDirectory)]);
  const made = await runCommands(joined.members, customising);
  const members = permitted(made, { origins: joined.origins, permissions: settings.permissions });
  return {
    source: layerOf(members),
    warnings: describeConflicts(
      joined.conflicts.filter(({ dropped }) => !generated.map(latin1).includes(dropped)),
    ),
    ...(await mentionedIn(
      await findTreeMentions(members, { storeDir: options.store.storeDir, signal: options.signal }),
      options,
    )),
    [Symbol.dispose]: () => undefined,
  };
}

async function finishedCustomisation(file: string, options: CustomiseOptions): Promise<SeenCustomisation> {
  const finished = await openFinishedLayer(file, options.store.storeDir);
  try {
    const { source } = finished;
    const dispose = (): void => finished[Symbol.dispose]();
    return { source, warnings: [], ...(await mentionedIn(finished, options)), [Symbol.dispose]: dispose };
  } catch (error) {
    finished[Symbol.dispose]();
    throw error;
  }
}

interface Customising extends CustomiseOptions {
  readonly settings: ImageSettings;
  readonly roots: ImageRoots;
}

function layerOf(members: readonly CustomisationMember[]): LayerSource {
  return { kind: 'customisation', members, mtimeSeconds: CUSTOMISATION_MTIME_SECONDS };
}

/** Directories with what the description asks for by name. Where a content has the same file, that is no conflict. */
async function generate({ settings, roots, store, work }: Customising): Promise<string[]> {
  const generated: string[] = [];
  if (settings.included.length > 0) {
    generated.push(join(work.path, 'include'));
    writeIncluded(join(work.path, 'include'), settings.included);
  }
  if (settings.includeNixDB) {
    const contents = storeContents(roots);
    generated.push(join(work.path, 'nix-state'));
    writeNixState(join(work.path, 'nix-state'), { closure: await store.closure(contents), contents });
  }
  return generated;
}

async function readContents(customising: Customising): Promise<Content[]> {
  const { roots, listed } = customising;
  return await Promise.all([
    ...roots.contents.map((root) =>
      root.kind === 'store' ? linksTo(root.path, listed) : copyOfDirectory(root.path),
    ),
    ...roots.copyToRoot.map((path) => copyOf(path, customising)),
  ]);
}

async function linksTo(path: StorePath, listed: ListedPaths): Promise<Content> {
  return { storePath: latin1(path), entries: listingEntries((await listed.get(path)).listing) };
}

function copyOfDirectory(directory: string): Content {
  const place = latin1(directory);
  return { storePath: place, entries: scanDirectoryTree(directory), copyFrom: place };
}

async function copyOf(path: StorePath, { listed, work }: Customising): Promise<Content> {
  const { listing, source } = await listed.get(path);
  return {
    storePath: latin1(path),
    entries: listingEntries(listing),
    copyFrom: latin1(await filesOf(path, { source, work })),
  };
}

/** Where a path's files can be read: of a binary cache, in the work directory. */
async function filesOf(
  path: StorePath,
  { source, work }: Pick<Customising, 'work'> & { readonly source: TreeSource },
): Promise<string> {
  if (source.kind === 'directory') return source.location;
  const place = join(work.path, `nar-${baseName(path)}`);
  await unpackNar(source, latin1(place));
  return place;
}

async function runCommands(
  members: readonly CustomisationMember[],
  options: Customising,
): Promise<readonly CustomisationMember[]> {
  const { extra, fakeRoot } = options.settings.commands;
  if (extra === '' && fakeRoot === '') return members;
  const work = options.work.path;
  const tree = `${work}/tree`;
  makeTree(latin1(tree), members);
  const running = { tree, work, signal: options.signal };
  if (extra !== '') await runExtraCommands(extra, running);
  const sight = fakeRoot === '' ? SEEN_AS_ROOT : await runAsRoot(running, options);
  return readTree(latin1(tree), sight);
}

const SEEN_AS_ROOT: Sight = () => undefined;

async function runAsRoot(
  running: Parameters<typeof runFakeRootCommands>[1],
  { settings, roots, store }: Customising,
): Promise<Sight> {
  const { fakeRoot, chroot } = settings.commands;
  if (!chroot) return await runFakeRootCommands(fakeRoot, running);
  return await runChrootCommands(fakeRoot, {
    ...running,
    storeDir: store.storeDir,
    storeLocation: storeLocation(roots, store),
  });
}

/**
 * Where the store is on disk, as far as its paths tell.
 * @throws PhylloError STORE_UNSUPPORTED when it is a binary cache
 */
function storeLocation(roots: ImageRoots, store: Store): string {
  const [path] = [...storeContents(roots), ...roots.copyToRoot];
  if (path === undefined) return store.storeDir;
  const source = store.treeSource(path);
  if (source.kind === 'directory') return dirname(source.location);
  throw new PhylloError('STORE_UNSUPPORTED', 'enableFakechroot needs a store with its files on disk', {
    hint: 'copy the closure into a store directory (nix copy --to DIR) and use --store DIR',
  });
}

/** Owners' names are left out, as the layer's format leaves them empty. */
function permitted(
  members: readonly CustomisationMember[],
  {
    origins,
    permissions,
  }: { readonly origins: ReadonlyMap<string, string>; readonly permissions: readonly PathPermissions[] },
): readonly CustomisationMember[] {
  const matchers = new Map<string, ReturnType<typeof matcherOf>>();
  return members.map((member) => {
    const origin = origins.get(member.name) ?? '';
    const find = matchers.get(origin) ?? matcherOf(permissionsFor([origin], permissions));
    matchers.set(origin, find);
    const found = find(member.name);
    if (found === undefined) return member;
    return { ...permittedMember(member, found), uid: found.uid ?? member.uid, gid: found.gid ?? member.gid };
  });
}

async function mentionedIn(
  { hashParts, fingerprint }: TreeMentions,
  { store }: CustomiseOptions,
): Promise<Pick<SeenCustomisation, 'mentioned' | 'fingerprint'>> {
  const found = await Promise.all([...hashParts].map((hashPart) => store.findByHashPart(hashPart)));
  return { mentioned: found.filter((path) => path !== undefined), fingerprint };
}

/** One sentence for each path, however many contents have it. */
function describeConflicts(conflicts: readonly ContentConflict[]): string[] {
  return [...Map.groupBy(conflicts, ({ path }) => path)].map(([path, [first, ...others]]) => {
    const { kept, dropped } = first as ContentConflict;
    const more = others.length === 0 ? '' : ` and ${others.length} more`;
    return `contents: ${path} is in ${kept} and in ${dropped}${more}; the first one is in the image`;
  });
}
