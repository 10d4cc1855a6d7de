/** How the environment says that networks are to be talked to. */
import type { HttpSettings } from '../index.ts';
import { version } from './version.ts';

export function networkSettings(): HttpSettings {
  return {
    userAgent: `phyllo/${version()}`,
    proxies: { http: variable('http_proxy'), https: variable('https_proxy'), no: variable('no_proxy') },
  };
}

/** Small letters win: what a web server gets from its clients as `Proxy:` is `HTTP_PROXY` to it. */
function variable(name: string): string | undefined {
  const large = name === 'http_proxy' ? undefined : process.env[name.toUpperCase()];
  return process.env[name] || large || undefined;
}
