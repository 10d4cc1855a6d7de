/** Writes the JSON schema that is published with the package. */
import { writeFileSync } from 'node:fs';
import { imageSchema } from '../dist/index.js';

const file = new URL('../schema/image.schema.json', import.meta.url);
writeFileSync(file, `${JSON.stringify(imageSchema(), undefined, 2)}\n`);
