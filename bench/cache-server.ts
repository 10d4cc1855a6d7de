/** Serves a binary cache's directory on loopback until its standard input ends: `node cache-server.ts DIR LATENCY_MS`. Prints its address. */
import { startCache } from '../test/support/cache-server.ts';

const [directory = '.', latency = '0'] = process.argv.slice(2);
const server = await startCache(directory, { latencyMs: Number(latency) });
process.stdout.write(`${server.url}\n`);
for await (const _ of process.stdin);
await server.stop();
