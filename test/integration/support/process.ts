/** Running programs to their end, and keeping servers for as long as a test needs them. */
import { spawn } from 'node:child_process';
import type { ChildProcess, StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

export interface RunOptions {
  readonly cwd?: string;
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Standard output goes into this file instead of the outcome. */
  readonly stdoutFile?: string;
  /** Default two minutes; then the program is killed and the run fails. */
  readonly timeoutMs?: number;
}

export interface Outcome {
  /** Null when a signal ended the program. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

const DEFAULT_TIMEOUT_MS = 120_000;

/** Runs a program to its end, whatever that is; its standard input is empty. */
export async function run(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Outcome> {
  const stdoutFile = options.stdoutFile === undefined ? undefined : openSync(options.stdoutFile, 'w');
  try {
    const child = start(program, args, { ...options, stdio: ['ignore', stdoutFile ?? 'pipe', 'pipe'] });
    return await outcomeOf(child, { timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS });
  } finally {
    if (stdoutFile !== undefined) closeSync(stdoutFile);
  }
}

/** The standard output of a program that must succeed. */
export async function runChecked(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const outcome = await run(program, args, options);
  if (outcome.exitCode === 0) return outcome.stdout;
  throw new Error(
    `${program} ${args.join(' ')}: ended with ${outcome.signal ?? outcome.exitCode}\n${outcome.stdout}${outcome.stderr}`,
  );
}

/** A child process for tests that talk to it while it runs. The caller waits for it or kills it. */
export function start(
  program: string,
  args: readonly string[],
  options: RunOptions & { readonly stdio: StdioOptions },
): ChildProcess {
  return spawn(program, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: options.stdio,
  });
}

/** Waits for a child's end and gathers what it writes to its pipes. Call it before the child can end. */
export async function outcomeOf(
  child: ChildProcess,
  options: { readonly timeoutMs?: number } = {},
): Promise<Outcome> {
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  try {
    const stdout = gather(child.stdout);
    const stderr = gather(child.stderr);
    const [exitCode, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
    return { exitCode, signal, stdout: stdout(), stderr: stderr() };
  } finally {
    clearTimeout(timer);
  }
}

export interface Server {
  readonly pid: number;
  /** Asks the server to end, insists after ten seconds, and returns when it has ended. Idempotent. */
  stop(): Promise<void>;
}

export interface ServerOptions {
  readonly program: string;
  readonly args: readonly string[];
  /** Standard output and error; its end is in the error of a server that does not come up. */
  readonly logFile: string;
  /** Whether the server answers. */
  readonly isReady: () => Promise<boolean> | boolean;
}

const READY_WITHIN_MS = 30_000;
const STOP_WITHIN_MS = 10_000;

/** Starts a server, which also ends when this process does, and waits until it answers. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const log = openSync(options.logFile, 'w');
  const child = start('setpriv', ['--pdeathsig', 'TERM', options.program, ...options.args], {
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const ended = once(child, 'exit');
  const server: Server = { pid: child.pid ?? 0, stop: () => stopChild(child, ended) };
  try {
    await waitUntil(options.isReady, { what: `${options.program} answers (see ${options.logFile})`, child });
    return server;
  } catch (error) {
    await server.stop();
    throw error;
  }
}

async function stopChild(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  if (hasEnded(child)) return;
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
  await ended;
  clearTimeout(timer);
}

/** Polls a condition; an error after half a minute, or as soon as `child` has ended without it. */
export async function waitUntil(
  condition: () => Promise<boolean> | boolean,
  {
    what,
    child,
    pollMs = 50,
  }: { readonly what: string; readonly child?: ChildProcess; readonly pollMs?: number },
): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  while (!(await condition())) {
    if (child !== undefined && hasEnded(child)) throw new Error(`ended before this was so: ${what}`);
    if (Date.now() > deadline) throw new Error(`not so after ${READY_WITHIN_MS} ms: ${what}`);
    await delay(pollMs);
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

function gather(stream: NodeJS.ReadableStream | null): () => string {
  const chunks: Buffer[] = [];
  stream?.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString('utf8');
}
