/**
 * What people, registries and scanners want to know of an image, under the keys that they look for.
 *
 * @see OCI image-spec v1.1, annotations.md, "Pre-Defined Annotation Keys"
 */
import { z } from 'zod';

export const aboutSchema = z
  .strictObject({
    title: z.string(),
    description: z.string(),
    version: z.string().describe('Of the packaged software.'),
    revision: z.string().describe('Of its source, in its version control.'),
    source: z.string().describe('Address of its source.'),
    url: z.string().describe('Address of more information.'),
    documentation: z.string().describe('Address of its documentation.'),
    authors: z.string().describe('Names or addresses of who is responsible.'),
    vendor: z.string().describe('Who distributes it.'),
    licenses: z.string().describe('An SPDX licence expression.'),
  })
  .partial();

export type About = z.infer<typeof aboutSchema>;

/** `{ title: 'hello' }` as `{ 'org.opencontainers.image.title': 'hello' }`. */
export function aboutKeys(about: About): Readonly<Record<string, string>> {
  const entries = Object.entries(about).filter(([, text]) => text !== undefined);
  return Object.fromEntries(
    entries.map(([field, text]) => [`org.opencontainers.image.${field}`, text as string]),
  );
}
