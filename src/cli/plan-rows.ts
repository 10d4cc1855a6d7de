/** What a plan's table shows besides the store layers, and how wide it is. */
import type { Base, ExtraLayer } from '../index.ts';
import { usesColour } from './output.ts';

/** The layers below the store layers and above them. */
export function extraLayersOf({ layers }: Base): readonly ExtraLayer[] {
  const base = layers.map(({ blob, history }) => ({
    kind: 'base' as const,
    size: blob?.size ?? 0,
    why: history.comment,
    ...(blob === undefined ? {} : { diffID: blob.diffID }),
  }));
  return [...base, { kind: 'customisation', size: 0, why: 'contents as links at /' }];
}

export function terminal(stream: NodeJS.WriteStream): { readonly columns: number; readonly colour: boolean } {
  return { columns: stream.columns ?? 80, colour: usesColour(stream) };
}
