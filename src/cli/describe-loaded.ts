/** What became of an image at a Docker engine, as one line for people. */
import { describeSize, type LoadedImage } from '../index.ts';

export function describeLoaded({ name, present, sent, bytesSent }: LoadedImage): string {
  return `${name} in the Docker engine: ${present} layers were there, ${sent} sent (${describeSize(bytesSent)})`;
}
