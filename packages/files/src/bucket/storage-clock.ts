// How far the endpoint's clock is ahead of ours, told by the `Date` of its answers (RFC 9110 §6.6.1, in whole seconds). S3 refuses
// what is signed too far from its own time, and a URL that we sign ends early or late by the offset: no upload says so by itself,
// because the SDK corrects its own requests. Nothing here corrects a clock; it is told, so that somebody sets it.

import type { FilesLog } from '../log.ts';

/** The head of an answer, and when it was waited for, by our clock. */
export interface AnswerTime {
  /** The `Date` header as it came. */
  readonly date: string | undefined;
  /** The `Age` header as it came: a cache that answers tells of another time. */
  readonly age: string | undefined;
  readonly status: number;
  readonly sentAtMs: number;
  readonly receivedAtMs: number;
}

export interface StorageClock {
  answered(answer: AnswerTime): void;
  /** Whether our clock was set since this was asked last, or since the last answer. What answers told before is forgotten then. */
  wasSet(): boolean;
  /** What is wrong, for whoever can set the clock, while the offset is more than S3 takes; else `undefined`. */
  problem(): string | undefined;
}

interface StorageClockOptions {
  readonly endpoint: string;
  readonly clock: () => number;
  /** Milliseconds that only go on. */
  readonly monotonicClock: () => number;
  readonly log: FilesLog;
  readonly meter: { clockOffset(offsetMs: number): void };
}

/** "The request timestamp must be within 15 minutes of the Amazon S3 system time." */
const maxOffsetMs = 15 * 60_000;
/** A difference of this much is told, and each change by so much. */
const noteworthyMs = 60_000;
/** What was waited for longer dates from we do not know when. */
const maxWaitMs = 10_000;
/** So many answers in a row must say it: one of several gateways whose clock is wrong is not ours. */
const agreeing = 5;

export function openStorageClock(options: StorageClockOptions): StorageClock {
  const { endpoint, clock, monotonicClock, log, meter } = options;
  /** Of the last answers. */
  const recent: number[] = [];
  let offsetMs = 0;
  let toldMs = 0;
  /** Of our clock before the monotonic one: it changes when ours is set, and when the machine slept. */
  let leadMs = clock() - monotonicClock();

  function wasSet(): boolean {
    const nowMs = clock() - monotonicClock();
    if (Math.abs(nowMs - leadMs) < noteworthyMs) return false;
    leadMs = nowMs;
    recent.length = 0;
    return true;
  }

  function tell(): void {
    if (Math.abs(offsetMs - toldMs) < noteworthyMs) return;
    toldMs = Math.abs(offsetMs) < noteworthyMs ? 0 : offsetMs;
    const fields = { endpoint, clockOffsetSeconds: Math.round(offsetMs / 1000) };
    if (toldMs === 0) log.info('The clocks of this machine and of the object storage agree again.', fields);
    else if (Math.abs(offsetMs) > maxOffsetMs) log.warn(explain(offsetMs), fields);
    else log.warn(`${describe(offsetMs)}: addresses that it signs end early or late. Set the clock.`, fields);
  }

  return {
    wasSet,
    answered: ({ date, age, status, sentAtMs, receivedAtMs }) => {
      const waitedMs = receivedAtMs - sentAtMs;
      // A clock that was set meanwhile, or a proxy that answers for an endpoint which is gone, says nothing.
      if (waitedMs < 0 || waitedMs > maxWaitMs || status >= 500 || Number(age ?? 0) > 0) return;
      const dateMs = Date.parse(date ?? '');
      if (Number.isNaN(dateMs)) return;
      wasSet();
      // The second may have been in its beginning or at its end.
      recent.push(Math.round(dateMs + 500 - (sentAtMs + receivedAtMs) / 2));
      if (recent.length > agreeing) recent.shift();
      offsetMs = recent.reduce((least, each) => (Math.abs(each) < Math.abs(least) ? each : least));
      meter.clockOffset(offsetMs);
      tell();
    },
    problem: () => (Math.abs(offsetMs) > maxOffsetMs ? explain(offsetMs) : undefined),
  };
}

function describe(offsetMs: number): string {
  const way = offsetMs < 0 ? 'ahead of' : 'behind';
  return `The clock of this machine is ${Math.round(Math.abs(offsetMs) / 1000)} s ${way} that of the object storage`;
}

function explain(offsetMs: number): string {
  return `${describe(offsetMs)}; S3 refuses what is signed more than ${maxOffsetMs / 60_000} minutes from its own time, so uploads and downloads fail. Set the clock.`;
}
