/** The files of credentials that docker's and podman's users have. @see docker-login(1); containers-auth.json(5) */
import { homedir } from 'node:os';
import { join } from 'node:path';

/** In the order in which they are asked. They need not exist. */
export function authFiles(): readonly string[] {
  const runtime = variable('XDG_RUNTIME_DIR');
  const podman = runtime === undefined ? [] : [join(runtime, 'containers', 'auth.json')];
  return [...chosenFile(), dockerFile(), ...podman];
}

/** Where `phyllo login` writes: what `$REGISTRY_AUTH_FILE` names, else docker's. */
export function ownAuthFile(): string {
  return chosenFile()[0] ?? dockerFile();
}

function chosenFile(): readonly string[] {
  const chosen = variable('REGISTRY_AUTH_FILE');
  return chosen === undefined ? [] : [chosen];
}

function dockerFile(): string {
  return join(variable('DOCKER_CONFIG') ?? join(homedir(), '.docker'), 'config.json');
}

function variable(name: string): string | undefined {
  return process.env[name] || undefined;
}
