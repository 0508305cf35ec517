// Comparing the whole bucket with the database, for those who run the service.

import type { Orphans } from '../../orphans/orphans.ts';
import { type HandlersOf, idOf } from '../handler.ts';

export interface ReconcileHandlersOptions {
  readonly orphans: Orphans;
}

export function reconcileHandlers({ orphans }: ReconcileHandlersOptions): HandlersOf<'reconcile'> {
  return {
    listReconciles: async () => ({ body: await orphans.list() }),
    startReconcile: async ({ body, caller, note }) => ({
      body: await orphans.begin(body, caller.account.userId, note),
    }),
    getReconcile: async (call) => ({ body: await orphans.get(idOf(call)) }),
    listReconcileFindings: async (call) => ({ body: await orphans.findings(idOf(call), call.query) }),
    stopReconcile: async (call) => ({ body: await orphans.stop(idOf(call), call.note) }),
  };
}
