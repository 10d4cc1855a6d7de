/** SIGINT, SIGTERM and SIGHUP stop the work, which cleans up after itself; then the process ends by that signal. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface SignalStop {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  /** Ends the process by the signal that came, if one did: whoever waits for it sees that. */
  raise(): void;
  /** Gives the signals their usual effect back. */
  release(): void;
}

export function stopOnSignals(): SignalStop {
  const controller = new AbortController();
  let received: NodeJS.Signals | undefined;
  const onSignal = (name: NodeJS.Signals): void => {
    received ??= name;
    controller.abort(new Error(`stopped by ${name}`));
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  const release = (): void => {
    for (const name of SIGNALS) process.off(name, onSignal);
  };
  return {
    signal: controller.signal,
    release,
    raise() {
      if (received === undefined) return;
      release();
      process.kill(process.pid, received);
    },
  };
}
