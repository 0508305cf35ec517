import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AnswerTime, openStorageClock, type StorageClock } from './storage-clock.ts';

const nowMs = Date.UTC(2026, 0, 2, 3, 4, 5);
const minuteMs = 60_000;

interface Watched {
  readonly clock: StorageClock;
  readonly told: string[];
  readonly measuredMs: number[];
  /** Sets our clock. */
  set(byMs: number): void;
  /** So many answers, dated by a clock that is ahead of ours. */
  answer(aheadMs: number, over?: Partial<AnswerTime> & { readonly times?: number }): void;
}

function open(): Watched {
  const told: string[] = [];
  const measuredMs: number[] = [];
  let setMs = 0;
  const note =
    (level: string) =>
    (message: string): void =>
      void told.push(`${level}: ${message}`);
  const clock = openStorageClock({
    endpoint: 'http://s3.test',
    clock: () => nowMs + setMs,
    monotonicClock: () => 0,
    log: { info: note('info'), warn: note('warn'), error: note('error') },
    meter: { clockOffset: (offsetMs) => measuredMs.push(offsetMs) },
  });
  return {
    clock,
    told,
    measuredMs,
    set: (byMs) => {
      setMs += byMs;
    },
    answer: (aheadMs, { times = 5, ...over } = {}) => {
      const date = new Date(nowMs + aheadMs).toUTCString();
      const [sentAtMs, receivedAtMs] = [nowMs + setMs - 100, nowMs + setMs + 100];
      const answer = { date, age: undefined, status: 200, sentAtMs, receivedAtMs, ...over };
      for (let count = 0; count < times; count++) clock.answered(answer);
    },
  };
}

test('a clock that is right is not spoken of', () => {
  const { clock, told, measuredMs, answer } = open();
  answer(0);
  answer(59_000);
  assert.deepEqual(told, []);
  assert.equal(measuredMs[0], 500);
  assert.equal(clock.problem(), undefined);
});

test('an offset is told once, each change of it, and its end; from 15 minutes on it is a problem', () => {
  const { clock, told, answer } = open();
  answer(5 * minuteMs);
  answer(5 * minuteMs + 30_000);
  assert.equal(told.length, 1);
  assert.match(
    told[0] ?? '',
    /^warn: The clock of this machine is 30\d s behind that of the object storage: addresses/,
  );
  assert.equal(clock.problem(), undefined);
  answer(-16 * minuteMs);
  answer(-16 * minuteMs);
  assert.equal(told.length, 2);
  assert.match(told[1] ?? '', /^warn: .* is 9(59|60) s ahead of .* S3 refuses what is signed more than 15 minutes/);
  assert.match(clock.problem() ?? '', /Set the clock\.$/);
  answer(0, { times: 1 });
  assert.match(told[2] ?? '', /^info: The clocks .* agree again/);
  assert.equal(clock.problem(), undefined);
});

test('one gateway of several whose clock is wrong is not ours', () => {
  const { told, answer } = open();
  for (let round = 0; round < 10; round++) {
    answer(0, { times: 1 });
    answer(20 * minuteMs, { times: 4 });
  }
  assert.deepEqual(told, []);
});

test('once our clock was set, one answer tells how it is now', () => {
  const { clock, told, set, answer } = open();
  answer(0);
  assert.equal(clock.wasSet(), false);
  set(60 * minuteMs);
  assert.equal(clock.wasSet(), true);
  assert.equal(clock.wasSet(), false, 'it was asked');
  answer(0, { times: 1 });
  assert.equal(told.length, 1);
  set(-60 * minuteMs);
  answer(0, { times: 1 });
  assert.match(told[1] ?? '', /agree again/);
});

test('answers that do not tell the time of now are passed over', () => {
  const { told, measuredMs, answer } = open();
  const far = 60 * minuteMs;
  answer(far, { date: undefined });
  answer(far, { date: 'yesterday' });
  answer(far, { age: '3600' });
  answer(far, { status: 503 });
  answer(far, { sentAtMs: nowMs - 11_000 });
  // Set back while it was waited for.
  answer(far, { sentAtMs: nowMs + far });
  assert.deepEqual(told, []);
  assert.deepEqual(measuredMs, []);
});
