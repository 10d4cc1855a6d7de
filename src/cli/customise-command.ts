/** `phyllo customise [IMAGE.json] --output FILE` */
import { Command } from 'commander';
import { describeSize, writeCustomisation } from '../index.ts';
import { addDescriptionOptions, type DescriptionFlags } from './description-flags.ts';
import { describeOne } from './description-options.ts';
import { openUserStore, type StoreFlags, withTypedPaths } from './store-options.ts';
import { printJson, say, warn } from './output.ts';

interface CustomiseFlags extends DescriptionFlags, StoreFlags {
  readonly output: string;
  readonly json?: true;
  readonly quiet?: true;
  readonly debug?: true;
}

export function customiseCommand(signal: AbortSignal): Command {
  const command = new Command('customise')
    .description(
      "Make an image's customisation layer alone, as a tar for `phyllo build --customisation-layer`.",
    )
    .argument('[IMAGE.json]', 'description of the image; options win over it')
    .requiredOption('--output <file>', 'the tar to write');
  return addDescriptionOptions(command)
    .option('--json', 'print what was made as one JSON document on stdout')
    .option('--quiet', 'say nothing but errors')
    .action((file: string | undefined, flags: CustomiseFlags) => customise(file, flags, signal));
}

async function customise(
  file: string | undefined,
  flags: CustomiseFlags,
  signal: AbortSignal,
): Promise<void> {
  const { settings: described, store: place, graph } = describeOne(file, flags);
  const store = await openUserStore({ store: place, graph }, flags);
  try {
    const { output } = flags;
    const settings = await withTypedPaths(described, { store, flags, signal });
    const { warnings, ...layer } = await writeCustomisation(settings, { store, file: output, signal });
    if (flags.json === true) printJson(layer);
    if (flags.quiet === true) return;
    for (const warning of warnings) warn(warning);
    say(`${output}: ${describeSize(layer.size)}, ${layer.diffID}`);
  } finally {
    store.close();
  }
}
