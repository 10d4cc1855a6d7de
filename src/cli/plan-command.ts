/** `phyllo plan [IMAGE.json]` */
import { availableParallelism } from 'node:os';
import { Command } from 'commander';
import {
  type ExtraLayer,
  type ImagePlan,
  openBase,
  openPrevious,
  planImage,
  planToDot,
  planToJson,
  priceUpdate,
  renderPlanTable,
  renderUpdateCost,
  type UpdateCost,
} from '../index.ts';
import { addDescriptionOptions, type DescriptionFlags } from './description-flags.ts';
import { describeOne } from './description-options.ts';
import { dockerHost } from './docker-host.ts';
import { print, printJson, say, warn } from './output.ts';
import { extraLayersOf, terminal } from './plan-rows.ts';
import { addRegistryOptions, openRegistries, type RegistryFlags } from './registry-options.ts';
import { openUserStore, type StoreFlags, withTypedPaths } from './store-options.ts';
import { usageError } from './usage-error.ts';

interface PlanFlags extends DescriptionFlags, RegistryFlags, StoreFlags {
  readonly paths?: true;
  readonly json?: true;
  readonly dot?: true;
  readonly quiet?: true;
  readonly verbose?: true;
  readonly debug?: true;
}

export function planCommand(): Command {
  const command = new Command('plan')
    .description('Show the layers that would be made. Nothing is written.')
    .argument('[IMAGE.json]', 'description of the image; options win over it');
  return addRegistryOptions(addDescriptionOptions(command))
    .option('--paths', "list each layer's store paths")
    .option('--json', 'print the plan as one JSON document')
    .option('--dot', "print the reference graph with layers as clusters in Graphviz' language")
    .option('--quiet', 'say no warnings')
    .option('--verbose', 'say how long planning took')
    .action(plan);
}

async function plan(file: string | undefined, flags: PlanFlags): Promise<void> {
  if (flags.json === true && flags.dot === true) throw usageError('--json and --dot exclude each other');
  const { settings: described, store: place, graph } = describeOne(file, flags);
  await using registries = openRegistries(flags, [described.fromImage, described.previous]);
  const started = performance.now();
  const store = await openUserStore({ store: place, graph }, flags);
  try {
    const settings = await withTypedPaths(described, { store, flags });
    using base = await openBase(settings, { registries, daemon: dockerHost });
    const previous = await openPrevious(settings, { base, registries, daemon: dockerHost });
    const planned = await planImage(settings, store, {
      baseLayers: base.layers.length,
      previous: previous.layers,
    });
    const warnings = [...previous.warnings, ...planned.warnings];
    if (flags.verbose === true) say(`planned in ${(performance.now() - started).toFixed(1)} ms`);
    const pricing = { base, plan: planned, store, jobs: availableParallelism() };
    const update =
      previous.image === undefined || flags.dot === true
        ? undefined
        : await priceUpdate(settings, { ...pricing, previous: previous.image });
    show(planned, { flags, warnings, update, extraLayers: extraLayersOf(base) });
    if (flags.quiet !== true) for (const warning of warnings) warn(warning);
  } finally {
    store.close();
  }
}

interface Shown {
  readonly flags: PlanFlags;
  readonly warnings: readonly string[];
  readonly extraLayers: readonly ExtraLayer[];
  /** Undefined without a previous image. */
  readonly update: UpdateCost | undefined;
}

function show({ layers, changes }: ImagePlan, { flags, warnings, extraLayers, update }: Shown): void {
  if (flags.json === true) printJson(planToJson(layers, { extraLayers, warnings, changes, update }));
  else if (flags.dot === true) print(planToDot(layers));
  else {
    const width = terminal(process.stdout);
    print(renderPlanTable(layers, { ...width, showPaths: flags.paths === true, extraLayers }));
    if (update !== undefined) print(`\n${renderUpdateCost(update, width)}`);
  }
}
