// API keys: made and revoked by people, never by other keys: one that leaked must not be able to make others, or to lock its
// owner out. The contract says so of the routes.

import type { ApiKeys } from '../../accounts/api-keys.ts';
import { type HandlersOf, idOf } from '../handler.ts';

export interface KeyHandlersOptions {
  readonly apiKeys: ApiKeys;
}

export function keyHandlers({ apiKeys }: KeyHandlersOptions): HandlersOf<'keys'> {
  return {
    listKeys: async ({ caller }) => ({ body: await apiKeys.list(caller) }),
    createKey: async ({ caller, body, note }) => ({ body: await apiKeys.create(caller, body, note) }),
    deleteKey: async (call) => {
      await apiKeys.remove(call.caller, idOf(call), call.note);
      return { body: undefined };
    },
  };
}
