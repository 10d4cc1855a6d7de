/** The table of layers, bottom to top. It is whole without a program; the page's own lets people sort it. */
import { describeSize } from '../plan/describe-size.ts';
import type { ReportLayer } from './page-data.ts';
import type { ReportData } from './report-data.ts';
import { type Html, markup } from './html.ts';
import { percent } from './words.ts';

export function layersSection({ layers, size, update, pathMeasure }: ReportData): Html {
  const isCompared = update !== undefined;
  const largest = Math.max(...layers.map((layer) => layer.size), 1);
  const showArea = pathMeasure !== undefined && layers.some((layer) => layer.area !== layer.size);
  return markup`<section aria-labelledby="layers-title" class="layers">
    <h2 id="layers-title">Layers</h2>
    <div class="scroll" role="region" aria-label="Table of layers" tabindex="0">
      <table class="sortable" id="layers">
        <thead>
          <tr>
            <th scope="col" class="number" aria-sort="ascending">#</th>
            <th scope="col" class="number">Size</th>
            ${showArea ? markup`<th scope="col" class="number">Unpacked</th>` : undefined}
            <th scope="col" class="number share">Share</th>
            ${isCompared ? markup`<th scope="col">State</th>` : undefined}
            <th scope="col" class="number">Paths</th>
            <th scope="col">Contents</th>
          </tr>
        </thead>
        <tbody>
          ${layers.map((layer, at) => layerRow(layer, { at, size, largest, isCompared, showArea }))}
        </tbody>
      </table>
    </div>
    ${goneLayers(update)}
  </section>`;
}

interface RowOptions {
  readonly at: number;
  readonly size: number;
  readonly largest: number;
  readonly isCompared: boolean;
  readonly showArea: boolean;
}

function layerRow(layer: ReportLayer, { at, size, largest, isCompared, showArea }: RowOptions): Html {
  const { state, previousPlace, label, paths } = layer;
  const isMoved = state === 'kept' && previousPlace !== at + 1;
  const bar = markup`<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
    <rect class="fill" width="${((layer.size / largest) * 100).toFixed(1)}" height="10" />
  </svg>`;
  return markup`<tr data-layer="${at}">
    <td class="number">${at + 1}</td>
    <td class="number" data-value="${layer.size}">${describeSize(layer.size)}</td>
    ${showArea ? markup`<td class="number" data-value="${layer.area}">${describeSize(layer.area)}</td>` : undefined}
    <td class="number share" data-value="${layer.size}">${percent(layer.size, size)}${bar}</td>
    ${isCompared ? markup`<td><span class="state state-${state ?? 'unknown'}">${state ?? 'unknown'}</span></td>` : undefined}
    <td class="number" data-value="${paths.length}">${paths.length === 0 ? '–' : paths.length}</td>
    <td class="what">
      <span class="label">${label}</span>${isMoved ? markup` <span class="note">was layer ${previousPlace}</span>` : undefined}
    </td>
  </tr>`;
}

function goneLayers(update: ReportData['update']): Html | undefined {
  if (update === undefined || update.gone.length === 0) return undefined;
  const items = update.gone.map(
    ({ label, size, previousPlace }) =>
      markup`<li>${label} <span class="note">was layer ${previousPlace}, ${describeSize(size)}</span></li>`,
  );
  return markup`<details class="gone">
    <summary>${update.gone.length} of the old image’s layers are gone</summary>
    <ul>
      ${items}
    </ul>
  </details>`;
}
