/** A plan as a graph for Graphviz: an arrow from each path to what it refers to, layers as clusters. */
import { describePath, describeReason } from './describe-plan.ts';
import { describeSize } from './describe-size.ts';
import type { LayerPlan } from './layer-plan.ts';

/** Lines of the DOT language, each ended by a newline. Self references and references to paths in no layer are left out. */
export function planToDot(layers: readonly LayerPlan[]): string {
  const paths = layers.flatMap((layer) => layer.paths);
  const nodeOf = new Map<string, string>(paths.map(({ path }, index) => [path, `p${index}`]));
  const edges = paths.flatMap(({ path, references }) =>
    references
      .filter((reference) => reference !== path && nodeOf.has(reference))
      .map((reference) => `  ${nodeOf.get(path)} -> ${nodeOf.get(reference)};`),
  );
  const clusters = layers.flatMap((layer, index) => clusterLines(layer, index, nodeOf));
  const lines = ['digraph plan {', '  rankdir=LR;', '  node [shape=box];', ...clusters, ...edges, '}'];
  return lines.map((line) => `${line}\n`).join('');
}

function clusterLines(
  { paths, narSize, reason }: LayerPlan,
  index: number,
  nodeOf: ReadonlyMap<string, string>,
): readonly string[] {
  const title = `layer ${index + 1}: ${describeSize(narSize)}, ${describeReason(reason)}`;
  const nodes = paths.map(({ path, narSize }) => {
    const label = quoted(`${describePath(path)}\n${describeSize(narSize)}`);
    return `    ${nodeOf.get(path)} [label=${label}, tooltip=${quoted(path)}];`;
  });
  return [`  subgraph cluster_${index} {`, `    label=${quoted(title)};`, ...nodes, '  }'];
}

/** @see Graphviz, "The DOT Language": a double-quoted string escapes quotes, and backslashes where they would escape */
function quoted(text: string): string {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll('"', String.raw`\"`);
  return `"${escaped.replaceAll('\n', String.raw`\n`)}"`;
}
