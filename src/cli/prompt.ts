/** Questions to whoever sits at the terminal. */
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';

/** @throws the signal's reason, also when the terminal's own interrupt comes */
export async function ask(question: string, signal: AbortSignal): Promise<string> {
  return await answerTo(question, { signal, output: process.stderr });
}

/** What is typed is not shown. @throws as ask */
export async function askSecretly(question: string, signal: AbortSignal): Promise<string> {
  process.stderr.write(question);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  try {
    return await answerTo('', { signal, output: nowhere });
  } finally {
    process.stderr.write('\n');
  }
}

async function answerTo(
  question: string,
  { signal, output }: { readonly signal: AbortSignal; readonly output: NodeJS.WritableStream },
): Promise<string> {
  const lines = createInterface({ input: process.stdin, output, terminal: true, historySize: 0 });
  // The terminal hands its interrupt over as a key while it is asked.
  lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  try {
    return await lines.question(question, { signal });
  } finally {
    lines.close();
  }
}
