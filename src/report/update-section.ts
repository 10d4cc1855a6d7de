/** What an update costs, as a small picture with its reasons. */
import { describeSize } from '../plan/describe-size.ts';
import { type Cause, describeCause, type UpdateCauses } from '../plan/update-causes.ts';
import type { ReportData, ReportUpdate } from './report-data.ts';
import { type Html, markup } from './html.ts';
import { counted } from './words.ts';

/** Causes beyond these are folded away. */
const SHOWN_CAUSES = 12;

export function updateSection({ layers, size, update }: ReportData): Html | undefined {
  if (update === undefined) return undefined;
  const { cost, why, from } = update;
  return markup`<section aria-labelledby="update-title" class="update">
    <h2 id="update-title">Update from <span class="name">${from}</span></h2>
    <dl class="prices">${priceRows(cost, layers.length)}</dl>
    ${layerStrip({ layers, size, update })} ${why === undefined ? undefined : reasons(why)}
  </section>`;
}

type Cost = ReportUpdate['cost'];

function priceRows(cost: Cost, layerCount: number): Html[] {
  const { pull, pulledLayers, unpack, firstChangedLayer: first, bound, size } = cost;
  const whole = Math.max(size, bound ?? 0, 1);
  const row = (
    name: string,
    bytes: number | undefined,
    rest: { readonly kind: string; readonly note: string },
  ): Html =>
    markup`<div class="price ${rest.kind}">
      <dt>${name}</dt>
      <dd>
        <strong>${bytes === undefined ? 'not known' : describeSize(bytes)}</strong>
        <svg class="bar" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">
          <rect class="track" width="1000" height="10" />
          <rect class="fill" width="${widthOf(bytes ?? 0, whole)}" height="10" />
        </svg>
        <span class="note">${rest.note}</span>
      </dd>
    </div>`;
  return [
    row('Pull', pull, {
      kind: 'pull',
      note: `of ${describeSize(size)}: ${pulledLayers} of ${counted(layerCount, 'layer')}`,
    }),
    row('Unpack', unpack, {
      kind: 'unpack',
      note: first === undefined ? 'no layer differs' : `every layer from layer ${first} upward`,
    }),
    row('Lower bound', bound, {
      kind: 'bound',
      note:
        bound === undefined
          ? 'some new store path has no known size'
          : 'the new store paths alone, uncompressed',
    }),
  ];
}

/** In thousandths of the bar; what is more than nothing is seen. */
function widthOf(bytes: number, whole: number): string {
  const width = (bytes / whole) * 1000;
  return (bytes === 0 ? 0 : Math.max(width, 3)).toFixed(1);
}

/** The layers side by side, as wide as they are large, and below them those that are unpacked again. */
function layerStrip({
  layers,
  size,
  update,
}: Pick<ReportData, 'layers' | 'size'> & { readonly update: ReportUpdate }): Html {
  const whole = Math.max(size, 1);
  const starts: number[] = [];
  let below = 0;
  for (const layer of layers) {
    starts.push((below / whole) * 1000);
    below += layer.size;
  }
  const first = update.cost.firstChangedLayer;
  const rects = layers.map(
    ({ size: bytes, state = 'unknown' }, at) =>
      markup`<rect
        class="state-${state}"
        x="${starts[at]!.toFixed(2)}"
        width="${((bytes / whole) * 1000).toFixed(2)}"
        height="20"
      />`,
  );
  const start = first === undefined ? 1000 : (starts[first - 1] as number);
  const counts = (['kept', 'changed', 'new', 'unknown'] as const).flatMap((state) => {
    const count = layers.filter((layer) => layer.state === state).length;
    return count === 0 ? [] : [`${count} ${state}`];
  });
  const gone = update.gone.length === 0 ? '' : `, ${update.gone.length} gone`;
  return markup`<figure class="strip">
    <svg
      viewBox="0 0 1000 28"
      preserveAspectRatio="none"
      role="img"
      aria-label="The layers from bottom to top, by size: ${counts.join(', ')}"
    >
      ${rects}
      <rect class="again" x="${start.toFixed(2)}" y="24" width="${(1000 - start).toFixed(2)}" height="4" />
    </svg>
    <figcaption>
      <span>bottom</span>
      <span>Layers: ${counts.join(', ')}${gone}. Underlined: unpacked again.</span>
      <span>top</span>
    </figcaption>
  </figure>`;
}

function reasons({ byThemselves, rebuilt, toldBy, causes, gone }: UpdateCauses): Html {
  if (byThemselves.length + rebuilt.length === 0)
    return markup`<p>
      No store path is new${gone.length === 0 ? '' : `; ${counted(gone.length, 'path')} gone`}.
    </p>`;
  const told =
    toldBy === 'references' ? 'because of what is below them' : 'rebuilt with the same name and version';
  const rest = causes.slice(SHOWN_CAUSES);
  return markup`<h3>Why</h3>
    <p>
      ${counted(byThemselves.length, 'store path')} changed by
      ${byThemselves.length === 1 ? 'itself' : 'themselves'}, ${rebuilt.length} ${told}.
    </p>
    <ul class="causes">
      ${causes.slice(0, SHOWN_CAUSES).map(causeItem)}
    </ul>
    ${
      rest.length === 0
        ? undefined
        : markup`<details>
            <summary>${rest.length} more</summary>
            <ul class="causes">
              ${rest.map(causeItem)}
            </ul>
          </details>`
    }`;
}

function causeItem(cause: Cause): Html {
  const { name, resent, layers } = cause;
  const reach =
    resent === undefined || layers === undefined
      ? undefined
      : markup` <span class="note">re-sends ${counted(resent, 'path')} in ${counted(layers, 'layer')}</span>`;
  return markup`<li>
    <span data-search="${name}">${describeCause(cause).replace(' -> ', ' → ')}</span>${reach}
  </li>`;
}
