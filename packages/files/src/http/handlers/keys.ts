// API keys: made and revoked by people, never by other keys.

import { FilesError } from '../../files-error.ts';
import type { Caller, SignIn } from '../../sign-in.ts';
import { type HandlersOf, idOf } from '../handler.ts';

export interface KeyHandlersOptions {
  readonly signIn: SignIn;
}

export function keyHandlers({ signIn }: KeyHandlersOptions): HandlersOf<'keys'> {
  return {
    listKeys: async ({ caller }) => ({ body: await signIn.listKeys(caller.account) }),
    createKey: async ({ caller, body }) => {
      requireSession(caller);
      return { body: await signIn.createKey(caller.account, body.name) };
    },
    deleteKey: async (call) => {
      requireSession(call.caller);
      await signIn.removeKey(call.caller.account, idOf(call));
      return { body: undefined };
    },
  };
}

/** A key that leaked must not be able to make others, or to lock its owner out. */
function requireSession(caller: Caller): void {
  if (caller.by === 'session') return;
  throw new FilesError('forbidden', {
    detail: 'API keys are made and revoked by people who are signed in, not by API keys.',
  });
}
