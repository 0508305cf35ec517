// The end of a running command. The first Ctrl-C (or SIGTERM) lets running requests finish and closes everything in order;
// a second one ends the process at once: nothing that was acknowledged is lost by it, only what is still under way.

import process from 'node:process';
import { exitCodes } from './exit-codes.ts';

/**
 * One key press can reach us twice: the terminal signals the whole group, and npm passes on what it gets. What comes so
 * soon after the first is the same press.
 */
const samePressMs = 250;

interface ShutdownOptions {
  /** Called once signals are listened for: what says that everything serves may be read by who sends one at once. */
  readonly onListening: () => void;
  /** Closes everything; what it throws is thrown by `untilStopped`. */
  readonly close: () => Promise<void>;
  /** Called at the first signal, before closing. */
  readonly onStopping: (signal: NodeJS.Signals) => void;
}

/** Resolves when a signal has come and everything is closed. */
export async function untilStopped(options: ShutdownOptions): Promise<void> {
  let firstAtMs: number | undefined;
  let begin: (signal: NodeJS.Signals) => void = () => undefined;
  const begun = new Promise<NodeJS.Signals>((resolve) => {
    begin = resolve;
  });
  const onSignal = (signal: NodeJS.Signals): void => {
    const nowMs = performance.now();
    if (firstAtMs === undefined) {
      firstAtMs = nowMs;
      begin(signal);
    } else if (nowMs - firstAtMs > samePressMs) {
      // exit() on purpose: the person asked for it a second time, and requests may run for hours.
      process.exit(exitCodes.interrupted.status);
    }
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  try {
    options.onListening();
    options.onStopping(await begun);
    await options.close();
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}
