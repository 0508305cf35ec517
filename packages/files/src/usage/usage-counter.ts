// Counts what leaves no row behind: downloads that are handed out, and requests. Downloads are exact: the address leaves only after
// its count is committed, and all that come while one commit is under way share the next. Requests wait for such a commit, or a few
// seconds, so that those of a process that is killed then are lost.

import type { UsageCounts, UsageDayTable } from '../database/database.ts';
import { dayOf } from '../database/usage-day-table.ts';
import { errorFields, type FilesLog } from '../log.ts';

export interface UsageCounter {
  /** Resolves when it is committed: hand the address out then. */
  handedOut(tenantId: string, sizeBytes: number): Promise<void>;
  requested(tenantId: string): void;
  /** Commits what waits. */
  close(): Promise<void>;
}

interface UsageCounterOptions {
  readonly table: Pick<UsageDayTable, 'add'>;
  readonly clock: () => number;
  readonly log: FilesLog;
}

const requestsWaitMs = 5_000;

interface Waiting {
  readonly counts: Map<string, Required<Pick<UsageCounts, 'downloads' | 'downloadBytes' | 'requests'>>>;
  readonly committed: PromiseWithResolvers<void>;
}

export function openUsageCounter({ table, clock, log }: UsageCounterOptions): UsageCounter {
  let waiting = newWaiting();
  let committing: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;

  function count(
    tenantId: string,
    counts: { readonly downloads: number; readonly downloadBytes: number; readonly requests: number },
  ): void {
    const key = `${tenantId} ${dayOf(clock())}`;
    const known = waiting.counts.get(key) ?? { downloads: 0, downloadBytes: 0, requests: 0 };
    waiting.counts.set(key, {
      downloads: known.downloads + counts.downloads,
      downloadBytes: known.downloadBytes + counts.downloadBytes,
      requests: known.requests + counts.requests,
    });
  }

  async function commit(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    const { counts, committed } = waiting;
    waiting = newWaiting();
    try {
      if (counts.size > 0) {
        // Neither ids of tenants nor days have a space.
        await table.add(
          [...counts].map(([key, each]) => {
            const [tenantId = '', day = ''] = key.split(' ');
            return { tenantId, day, ...each };
          }),
        );
      }
      committed.resolve();
    } catch (error) {
      committed.reject(error);
      log.error('What was used could not be counted.', errorFields(error));
    }
  }

  /** One commit at a time; what comes meanwhile is in the next. */
  function commitSoon(): void {
    committing ??= (async () => {
      while (waiting.counts.size > 0) await commit();
    })().finally(() => {
      committing = undefined;
      if (waiting.counts.size > 0) commitSoon();
    });
  }

  return {
    handedOut: (tenantId, sizeBytes) => {
      count(tenantId, { downloads: 1, downloadBytes: sizeBytes, requests: 0 });
      const { promise } = waiting.committed;
      commitSoon();
      return promise;
    },
    requested: (tenantId) => {
      count(tenantId, { downloads: 0, downloadBytes: 0, requests: 1 });
      timer ??= setTimeout(commitSoon, requestsWaitMs).unref();
    },
    close: async () => {
      clearTimeout(timer);
      commitSoon();
      await committing;
    },
  };
}

function newWaiting(): Waiting {
  const committed = Promise.withResolvers<void>();
  // Nobody waits for a count of requests alone; its failure is logged.
  committed.promise.catch(() => undefined);
  return { counts: new Map(), committed };
}
