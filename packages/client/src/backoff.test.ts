import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { backoffDelayMs, createRetrier } from './backoff.ts';
import { ClientError } from './client-error.ts';
import type { Clock } from './clock.ts';

const limits = { baseMs: 100, capMs: 1000, giveUpAfterMs: 5000 };

/** Time that passes only by sleeping. */
function movedClock(): Clock & { readonly sleeps: number[] } {
  let nowMs = 0;
  const sleeps: number[] = [];
  return {
    sleeps,
    now: () => nowMs,
    sleep: async (ms, signal) => {
      signal.throwIfAborted();
      sleeps.push(ms);
      nowMs += ms;
    },
  };
}

const online = { isOnline: () => true, onOnline: () => () => undefined };
const signal = new AbortController().signal;

describe('backoffDelayMs', () => {
  it('doubles up to the cap, with full jitter', () => {
    const longest = [0, 1, 2, 3, 4, 5, 500].map((faults) => backoffDelayMs(limits, faults, () => 1));
    assert.deepEqual(longest, [100, 200, 400, 800, 1000, 1000, 1000]);
    assert.equal(
      backoffDelayMs(limits, 3, () => 0),
      0,
    );
  });
});

describe('a retrier', () => {
  it('tries until it succeeds, and tells of the trouble and its end', async () => {
    const clock = movedClock();
    const retrier = createRetrier({ limits, clock, random: () => 1, connectivity: online });
    const told: (string | undefined)[] = [];
    let tries = 0;
    const result = await retrier.retry(
      async () => {
        tries += 1;
        if (tries < 3) throw new ClientError('network');
        return 'done';
      },
      { signal, onTrouble: (fault) => told.push(fault?.code) },
    );
    assert.equal(result, 'done');
    assert.deepEqual(clock.sleeps, [100, 200]);
    assert.deepEqual(told, ['network', 'network', undefined]);
  });

  it('does not retry what cannot get better', async () => {
    const retrier = createRetrier({ limits, clock: movedClock(), random: () => 1, connectivity: online });
    let tries = 0;
    const failing = async (): Promise<never> => {
      tries += 1;
      throw new ClientError('quota-exceeded', { status: 422 });
    };
    await assert.rejects(retrier.retry(failing, { signal }), { code: 'quota-exceeded' });
    assert.equal(tries, 1);
  });

  it('waits as long as the other side asked', async () => {
    const clock = movedClock();
    const retrier = createRetrier({ limits, clock, random: () => 0, connectivity: online });
    let first = true;
    await retrier.retry(
      async () => {
        if (first) {
          first = false;
          throw new ClientError('too-many-requests', { status: 429, retryable: true, retryAfterMs: 2500 });
        }
      },
      { signal },
    );
    assert.deepEqual(clock.sleeps, [2500]);
  });

  it('gives up after the time set, but does not count time offline', async () => {
    const failing = async (): Promise<never> => {
      throw new ClientError('network');
    };
    const clock = movedClock();
    await assert.rejects(
      createRetrier({ limits, clock, random: () => 1, connectivity: online }).retry(failing, { signal }),
      { code: 'network' },
    );
    assert.ok(clock.now() >= 5000 && clock.now() < 7000, `${clock.now()} ms`);

    const patient = movedClock();
    let probes = 0;
    const connectivity = { isOnline: () => probes > 20, onOnline: () => () => undefined };
    const counting = async (): Promise<string> => {
      probes += 1;
      if (probes > 20) return 'back';
      throw new ClientError('network');
    };
    assert.equal(
      await createRetrier({ limits, clock: patient, random: () => 1, connectivity }).retry(counting, { signal }),
      'back',
    );
    assert.ok(patient.now() > 60_000);
  });
});
