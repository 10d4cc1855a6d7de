/** Shows on standard error how far a build is: one line that changes on a terminal, JSON lines on request, nothing in a pipe. */
import { describeSize, type ProgressState } from '../index.ts';

export type ProgressKind = 'auto' | 'json' | 'none';

const TERMINAL_INTERVAL_MS = 100;
const JSON_INTERVAL_MS = 1000;
const BAR_WIDTH = 20;
const CLEAR_LINE = '\r\u001B[2K';

export class ProgressDisplay {
  readonly #show: ((state: ProgressState, elapsedMs: number) => void) | undefined;
  readonly #intervalMs: number;
  readonly #isLine: boolean;
  #timer: NodeJS.Timeout | undefined;

  constructor(kind: ProgressKind) {
    this.#isLine = kind === 'auto' && process.stderr.isTTY;
    this.#intervalMs = kind === 'json' ? JSON_INTERVAL_MS : TERMINAL_INTERVAL_MS;
    this.#show = kind === 'json' ? showJson : this.#isLine ? showLine : undefined;
  }

  /** Of what follows, instead of what was shown before. */
  start(look: () => ProgressState): void {
    this.stop();
    const show = this.#show;
    if (show === undefined) return;
    const started = performance.now();
    this.#timer = setInterval(() => show(look(), performance.now() - started), this.#intervalMs);
    this.#timer.unref();
  }

  /** Takes the line away. Idempotent. */
  stop(): void {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    if (this.#isLine) process.stderr.write(CLEAR_LINE);
  }
}

function showJson(state: ProgressState, elapsedMs: number): void {
  process.stderr.write(
    `${JSON.stringify({ event: 'progress', ...state, elapsedMs: Math.round(elapsedMs) })}\n`,
  );
}

function showLine(state: ProgressState, elapsedMs: number): void {
  const { bytesDone, bytesTotal, bytesSent, layersDone, layersTotal, current } = state;
  if (layersTotal === 0) return;
  const share = bytesTotal === 0 ? 0 : Math.min(bytesDone / bytesTotal, 1);
  const bar = '#'.repeat(Math.round(share * BAR_WIDTH)).padEnd(BAR_WIDTH, '.');
  const rate = describeSize(Math.round(bytesDone / (elapsedMs / 1000)));
  const sent = bytesSent === 0 ? '' : `, ${describeSize(bytesSent)} sent`;
  const text = `[${bar}] ${describeSize(bytesDone)} of ${describeSize(bytesTotal)}, ${rate}/s, ${layersDone} of ${layersTotal} layers${sent}${current === undefined ? '' : `, ${current}`}`;
  process.stderr.write(`${CLEAR_LINE}${text.slice(0, (process.stderr.columns ?? 80) - 1)}`);
}
