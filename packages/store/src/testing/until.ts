// Waits for what comes about in the background, as a test must that cannot be told of it.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

/** Longer than anything takes on a busy machine: only what never comes is waited for so long. */
const patienceSeconds = 20;
const pauseMs = 5;

/**
 * Resolves once `holds` answers true; it is asked again and again, every few milliseconds. Gives up after twenty seconds.
 * `what` says what is waited for.
 * @throws AssertionError when it has not come about by then, and what `holds` throws.
 */
export async function until(holds: () => Promise<boolean> | boolean, what = 'what is waited for'): Promise<void> {
  const giveUpAtMs = performance.now() + patienceSeconds * 1000;
  while (!(await holds())) {
    assert.ok(performance.now() < giveUpAtMs, `It did not come about within ${patienceSeconds} s: ${what}.`);
    await sleep(pauseMs);
  }
}
