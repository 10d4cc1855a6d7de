/** `phyllo plan [IMAGE.json]` */
import { Command } from 'commander';
import { openStore, planImage, planToJson, renderPlanTable } from '../index.ts';
import { addDescriptionOptions, describe, type DescriptionFlags } from './description-options.ts';
import { print, printJson, say, usesColour, warn } from './output.ts';

interface PlanFlags extends DescriptionFlags {
  readonly paths?: true;
  readonly json?: true;
  readonly quiet?: true;
  readonly verbose?: true;
  readonly debug?: true;
}

export function planCommand(): Command {
  const command = new Command('plan')
    .description('Show the layers that would be made. Nothing is written.')
    .argument('[IMAGE.json]', 'description of the image; options win over it');
  return addDescriptionOptions(command)
    .option('--paths', "list each layer's store paths")
    .option('--json', 'print the plan as one JSON document')
    .option('--quiet', 'say no warnings')
    .option('--verbose', 'say how long planning took')
    .option('--debug', 'show the stack of an error')
    .action(plan);
}

async function plan(file: string | undefined, flags: PlanFlags): Promise<void> {
  const { settings, store: place, graph } = describe(file, flags);
  const started = performance.now();
  const store = await openStore({ store: place, ...(graph === undefined ? {} : { graph }) });
  try {
    const { layers, warnings } = await planImage(settings, store);
    if (flags.verbose === true) say(`planned in ${(performance.now() - started).toFixed(1)} ms`);
    const extraLayers = [{ kind: 'customisation', size: 0, why: 'contents as symlinks at /' }] as const;
    if (flags.json === true) printJson(planToJson(layers, { extraLayers, warnings }));
    else print(renderPlanTable(layers, { ...terminal(), showPaths: flags.paths === true, extraLayers }));
    if (flags.quiet !== true) for (const warning of warnings) warn(warning);
  } finally {
    store.close();
  }
}

function terminal(): { readonly columns: number; readonly colour: boolean } {
  return { columns: process.stdout.columns ?? 80, colour: usesColour(process.stdout) };
}
