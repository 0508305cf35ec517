// How a service ends: it takes no more work, lets what runs come to its end for so long, then breaks it off and gives it back, and
// closes what it stands on last. Whatever is broken off is done by the next start or another instance.

import type { Background } from './open-background.ts';
import type { Ground } from './open-ground.ts';

interface CloseServiceOptions {
  /** How long requests and jobs may take. `Infinity`: as long as they need. */
  readonly graceMs: number;
  /** Resolves when nothing is being answered any more. */
  readonly answered: () => Promise<void>;
}

/** How long what was broken off has to notice. */
const breakOffMs = 2_000;

export async function closeService(
  { watch, scanner, endpoint, usage, database, tracing, log }: Ground,
  { worker, orphans, eventsIn, maker }: Background,
  { graceMs, answered }: CloseServiceOptions,
): Promise<void> {
  // Requests that wait for a change are let go, and then answered.
  watch.close();
  const ended = Promise.all([answered(), eventsIn.close(), worker.close(), orphans.close()]);
  const inTime = await settledWithin(ended, graceMs);
  if (!inTime) log.warn('Not everything has ended in time; the rest is broken off and given back.', { graceMs });
  maker.close();
  scanner?.close();
  const closed = endpoint.close();
  if (!inTime && !(await settledWithin(ended, breakOffMs))) await worker.abandon();
  await closed;
  await usage.close();
  await database.close();
  await tracing.close();
}

/** Whether it settled in time. What it throws is thrown. */
async function settledWithin(work: Promise<unknown>, timeMs: number): Promise<boolean> {
  if (timeMs === Number.POSITIVE_INFINITY) {
    await work;
    return true;
  }
  const late = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => late.resolve(false), timeMs);
  try {
    return await Promise.race([work.then(() => true), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
