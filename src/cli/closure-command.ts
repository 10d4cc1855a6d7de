/** `phyllo closure STOREPATH...` */
import { Command, Option } from 'commander';
import {
  closureToJson,
  type Closure,
  PhylloError,
  renderChain,
  renderClosure,
  renderClosureTree,
  resolveTypedPath,
  type Store,
} from '../index.ts';
import { print, printJson } from './output.ts';
import {
  addStoreOptions,
  joined,
  openUserStore,
  resolveInstallables,
  STORE_HEADING,
  type StoreFlags,
} from './store-options.ts';
import { usageError } from './usage-error.ts';

interface ClosureFlags extends StoreFlags {
  readonly store: string;
  readonly graph?: string;
  readonly json?: true;
  readonly tree?: true;
  readonly why?: string;
  readonly debug?: true;
}

export function closureCommand(signal: AbortSignal): Command {
  const command = new Command('closure')
    .description('List store paths and all that they refer to, with the sizes of their NARs.')
    .argument('[STOREPATH...]', 'store paths: whole, their hash parts, or HASH-NAME')
    .addOption(
      new Option(
        '--store <where>',
        'auto, another root directory, or binary caches: file://DIR, https://CACHE',
      )
        .argParser(joined)
        .default(undefined, 'auto')
        .helpGroup(STORE_HEADING),
    )
    .addOption(
      new Option('--graph <file>', 'exported reference graph to use instead of the database').helpGroup(
        STORE_HEADING,
      ),
    );
  return addStoreOptions(command)
    .option('--json', 'print everything as one JSON document')
    .option('--tree', 'print each path below the one that it is there for')
    .option('--why <path>', 'print the shortest chain of references that leads to this path')
    .option('--debug', 'show the stack of an error')
    .action((texts: readonly string[], flags: ClosureFlags) => showClosure(texts, flags, signal));
}

async function showClosure(
  texts: readonly string[],
  flags: ClosureFlags,
  signal: AbortSignal,
): Promise<void> {
  const views = [flags.json, flags.tree, flags.why].filter((view) => view !== undefined);
  if (views.length > 1) throw usageError('--json, --tree and --why exclude each other');
  const installed = await resolveInstallables(flags, signal);
  const wanted = [...texts, ...installed];
  if (wanted.length === 0) throw usageError('no store path was given');
  const store = await openUserStore({ store: flags.store ?? 'auto', graph: flags.graph }, flags);
  try {
    const roots = await Promise.all(wanted.map((text) => resolveTypedPath(text, store)));
    await show(await store.closure(roots), { flags, store });
  } finally {
    store.close();
  }
}

async function show(
  closure: Closure,
  { flags, store }: { readonly flags: ClosureFlags; readonly store: Store },
): Promise<void> {
  if (flags.json === true) printJson(closureToJson(closure));
  else if (flags.tree === true) print(renderClosureTree(closure));
  else if (flags.why !== undefined) print(await explain(flags.why, { closure, store }));
  else print(renderClosure(closure));
}

async function explain(
  text: string,
  { closure, store }: { readonly closure: Closure; readonly store: Store },
): Promise<string> {
  const path = await resolveTypedPath(text, store);
  const chain = renderChain(path, closure);
  if (chain !== undefined) return chain;
  throw new PhylloError('STORE_PATH_UNKNOWN', `${path} is not in the closure`, {
    hint: 'nothing in it refers to that path: `phyllo closure` without --why lists what is there',
  });
}
