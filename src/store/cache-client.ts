/** One HTTP client for each thread and kind of settings: whoever reads NARs in a thread shares its connections. */
import { HttpClient } from '../http/http-client.ts';
import type { NarHttpSettings } from './tree.ts';

const clients = new Map<string, HttpClient>();
/** The same settings are asked for again and again, and may hold long certificates. */
const known = new WeakMap<NarHttpSettings, HttpClient>();

/** It lasts as long as its thread. Connections that nobody uses keep no process alive. */
export function clientFor(settings: NarHttpSettings): HttpClient {
  const same = known.get(settings);
  if (same !== undefined) return same;
  const key = JSON.stringify(settings);
  const client = clients.get(key) ?? new HttpClient(settings);
  clients.set(key, client);
  known.set(settings, client);
  return client;
}
