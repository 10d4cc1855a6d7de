/**
 * A report as one HTML page that needs nothing else: no network, no file beside it. Pure: the same data gives the same bytes.
 *
 * What the page says in words and tables is HTML; the treemap, the search and what a store path is there for come from the page's own
 * program, which finds the data in the page. Its policy lets nothing run but that program, and nothing be fetched.
 */
import { createHash } from 'node:crypto';
import { describeSize } from '../plan/describe-size.ts';
import { embeddedJson, type Html, markup } from './html.ts';
import { layersSection } from './layers-section.ts';
import type { PageData } from './page-data.ts';
import type { ReportData } from './report-data.ts';
import { updateSection } from './update-section.ts';
import { counted } from './words.ts';

/** The page's own program and style, which the build makes of `report-page/`. */
export interface PageAssets {
  readonly script: string;
  readonly style: string;
}

/** A document of its own, UTF-8. */
export function renderReport(data: ReportData, { script, style }: PageAssets): string {
  return markup`<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta http-equiv="Content-Security-Policy" content="${policy({ script, style })}">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <meta name="generator" content="phyllo report">
  <title>${data.title}: layers and store paths</title>
  <link rel="icon" href="${ICON}">
  <style>${{ html: style }}</style>
</head>
<body>
  <header>
    <p class="brand">${MARK} phyllo report</p>
    <h1>${data.title}</h1>
    <p class="summary">${summaryOf(data)}</p>
    ${facts(data)}
  </header>
  <main>
    ${updateSection(data)}
    ${mapSection(data)}
    ${layersSection(data)}
    <section aria-labelledby="paths-title" id="paths-section" hidden>
      <h2 id="paths-title">Store paths</h2>
      <div class="scroll" role="region" aria-label="Table of store paths" tabindex="0" id="paths"></div>
    </section>
  </main>
  <footer>${notesOf(data).map((note) => markup`<p>${note}</p>`)}</footer>
  <script type="application/json" id="report-data">${embeddedJson(pageData(data))}</script>
  <script>${{ html: script }}</script>
</body>
</html>
`.html;
}

/** @see CSP3, "Hash usage for script and style": the hash of the text between the tags. */
function policy({ script, style }: PageAssets): string {
  return [
    "default-src 'none'",
    `script-src '${hashSource(script)}'`,
    `style-src '${hashSource(style)}'`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}

function hashSource(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

const MARK_PATHS =
  '<path d="M8 1 15 4.5 8 8 1 4.5Z" opacity=".95"/><path d="M2.6 7.2 1 8l7 3.5L15 8l-1.6-.8L8 9.9Z" opacity=".7"/><path d="M2.6 10.7 1 11.5 8 15l7-3.5-1.6-.8L8 13.4Z" opacity=".45"/>';
const MARK: Html = {
  html: `<svg class="mark" viewBox="0 0 16 16" aria-hidden="true">${MARK_PATHS}</svg>`,
};
const ICON = `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16" fill="#b8762f">${MARK_PATHS}</svg>`)}`;

function summaryOf({ layers, paths, size, layerMeasure }: ReportData): string {
  const measure = layerMeasure === 'nar' ? ' of NARs' : '';
  const stacked = `${describeSize(size)}${measure} in ${counted(layers.length, 'layer')}`;
  return paths.length === 0 ? stacked : `${stacked}, ${counted(paths.length, 'store path')}`;
}

function facts({ facts }: ReportData): Html | undefined {
  if (facts.length === 0) return undefined;
  const rows = facts.map(
    ({ name, value }) =>
      markup`<div>
        <dt>${name}</dt>
        <dd>${value}</dd>
      </div>`,
  );
  return markup`<details class="facts">
    <summary>Configuration and digests</summary>
    <dl>${rows}</dl>
  </details>`;
}

/** What is in the page as HTML already need not be there twice. */
function pageData({ facts: _f, update: _u, title: _t, layerMeasure: _m, ...data }: ReportData): PageData {
  return data;
}

/** Filled by the program; without one, the rest of the page says what there is. */
function mapSection({ paths }: ReportData): Html {
  const title = paths.length === 0 ? 'Layers by size' : 'Layers and store paths by size';
  return markup`<section aria-labelledby="map-title" class="map">
    <h2 id="map-title">${title}</h2>
    <p class="note" id="needs-script">
      The treemap, the search and the details of store paths need JavaScript.
    </p>
    <div id="explorer" hidden></div>
  </section>`;
}

function notesOf({ pathMeasure, layerMeasure, paths, hasReferences, layers }: ReportData): readonly string[] {
  const measures = {
    stored: 'Sizes of layers are those of their blobs as they are stored and pulled.',
    tar: 'Sizes of layers are those of their tars, before compression.',
    nar: 'Sizes of layers are the sums of their store paths’ NARs: this is a plan.',
  };
  const isUnknown = layers.some((layer) => layer.paths.length > 0) && pathMeasure === undefined;
  return [
    measures[layerMeasure],
    ...(pathMeasure === 'nar'
      ? ['Sizes of store paths are those of their NARs (narSize), and areas of the treemap follow them.']
      : []),
    ...(pathMeasure === 'tar'
      ? [
          'Sizes of store paths are those of their members in the layers’ tars, and areas of the treemap follow them.',
        ]
      : []),
    ...(isUnknown
      ? [
          'The sizes of store paths are not known: --store or --graph names who knows them, --read-layers downloads the layers to learn them.',
        ]
      : []),
    ...(paths.length > 0 && !hasReferences
      ? ['Who refers to whom is not known: --store or --graph names a store that knows these paths.']
      : []),
  ];
}
