/** One HTTP client for each thread and kind of settings: whoever reads NARs in a thread shares its connections. */
import { HttpClient } from '../http/http-client.ts';
import type { NarHttpSettings } from './tree.ts';

const clients = new Map<string, HttpClient>();

/** It lasts as long as its thread. Connections that nobody uses keep no process alive. */
export function clientFor(settings: NarHttpSettings): HttpClient {
  const key = JSON.stringify(settings);
  const known = clients.get(key);
  if (known !== undefined) return known;
  const client = new HttpClient(settings);
  clients.set(key, client);
  return client;
}
