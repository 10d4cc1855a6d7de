/**
 * Programs that keep credentials for docker and podman: `docker-credential-NAME ACTION`, asked over their standard streams.
 *
 * @see docker-login(1), "Credential helper protocol"
 */
import { execFile } from 'node:child_process';
import { z } from 'zod';
import { PhylloError } from '../../errors.ts';
import type { Credentials } from './credential-types.ts';

/** Some ask their user to touch a key or type a password. */
const TIMEOUT_MS = 120_000;
const MAX_ANSWER_BYTES = 1024 * 1024;
/** In place of a user name: what is kept is an identity token. */
const TOKEN_USER = '<token>';
/** What helpers say who know nothing of a server; their exit status is the same as for all failures. */
const UNKNOWN = /credentials not found/i;

const answer = z.object({ Username: z.string(), Secret: z.string() });

/**
 * Undefined: it has none for the server.
 * @throws PhylloError CREDENTIALS_INVALID, PROGRAM_MISSING
 */
export async function getFromHelper(helper: string, server: string): Promise<Credentials | undefined> {
  const { output, isDone } = await runHelper(helper, { action: 'get', input: server });
  if (!isDone && UNKNOWN.test(output)) return undefined;
  const found = isDone ? parseAnswer(output) : undefined;
  if (found === undefined)
    throw failed(helper, {
      action: 'get',
      problem: isDone ? 'it answered with no credentials' : 'it failed',
    });
  const { Username, Secret } = found;
  if (Username === '' && Secret === '') return undefined;
  return Username === TOKEN_USER
    ? { kind: 'identityToken', token: Secret }
    : { kind: 'password', user: Username, password: Secret };
}

/** @throws PhylloError CREDENTIALS_INVALID, PROGRAM_MISSING */
export async function storeInHelper(
  helper: string,
  { server, credentials }: { readonly server: string; readonly credentials: Credentials },
): Promise<void> {
  const [Username, Secret] =
    credentials.kind === 'password'
      ? [credentials.user, credentials.password]
      : [TOKEN_USER, credentials.token];
  const input = JSON.stringify({ ServerURL: server, Username, Secret });
  const { isDone } = await runHelper(helper, { action: 'store', input });
  if (!isDone) throw failed(helper, { action: 'store', problem: 'it failed' });
}

/**
 * That it has none is no error.
 * @throws PhylloError CREDENTIALS_INVALID, PROGRAM_MISSING
 */
export async function eraseFromHelper(helper: string, server: string): Promise<void> {
  const { output, isDone } = await runHelper(helper, { action: 'erase', input: server });
  if (!isDone && !UNKNOWN.test(output)) throw failed(helper, { action: 'erase', problem: 'it failed' });
}

interface HelperCall {
  readonly action: 'get' | 'store' | 'erase';
  readonly input: string;
}

async function runHelper(
  helper: string,
  { action, input }: HelperCall,
): Promise<{ readonly output: string; readonly isDone: boolean }> {
  if (!/^[\w.-]+$/.test(helper))
    throw failed(helper, { action, problem: 'its name has characters that no program has' });
  const program = `docker-credential-${helper}`;
  return await new Promise((resolve, reject) => {
    const limits = { timeout: TIMEOUT_MS, killSignal: 'SIGKILL', maxBuffer: MAX_ANSWER_BYTES } as const;
    const child = execFile(program, [action], limits, (error, output) => {
      if (error?.code === 'ENOENT') reject(missing(program));
      else if (error?.killed === true)
        reject(failed(helper, { action, problem: 'it did not come to an end' }));
      else resolve({ output, isDone: error === null });
    });
    // A helper that does not read what it is asked shows in its answer.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}

function parseAnswer(output: string): z.infer<typeof answer> | undefined {
  try {
    return answer.safeParse(JSON.parse(output)).data;
  } catch {
    return undefined;
  }
}

function missing(program: string): PhylloError {
  return new PhylloError(
    'PROGRAM_MISSING',
    `${program} is not there, and the file of credentials names it as their keeper`,
    { hint: `install ${program}, or take it out of credsStore and credHelpers` },
  );
}

/** What it printed may be a secret. */
function failed(
  helper: string,
  { action, problem }: { readonly action: string; readonly problem: string },
): PhylloError {
  return new PhylloError('CREDENTIALS_INVALID', `cannot ask docker-credential-${helper}: ${problem}`, {
    hint: `\`docker-credential-${helper} ${action}\` tells more when it is run by hand`,
  });
}
