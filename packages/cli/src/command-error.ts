// A failure whose message is meant for the person at the terminal: what came, what was expected, what to do. It is printed
// without a stack, and its name decides the exit status. Anything else that is thrown is a bug of ours and is shown whole.

import type { ExitName } from './exit-codes.ts';

export class CommandError extends Error {
  readonly exit: ExitName;

  constructor(exit: ExitName, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = 'CommandError';
    this.exit = exit;
  }
}
