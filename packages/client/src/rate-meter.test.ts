import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRateMeter } from './rate-meter.ts';

describe('a rate meter', () => {
  it('says nothing too early, then bytes per second', () => {
    const meter = createRateMeter();
    meter.note(0, 0);
    assert.equal(meter.bytesPerSecond(100), undefined);
    for (let ms = 100; ms <= 3000; ms += 100) meter.note(ms * 10, ms);
    const rate = meter.bytesPerSecond(3000) ?? 0;
    assert.ok(Math.abs(rate - 10_000) < 700, String(rate));
  });

  it('follows a change within its window, and sinks when nothing moves', () => {
    const meter = createRateMeter();
    for (let ms = 0; ms <= 10_000; ms += 250) meter.note(ms * 10, ms);
    for (let ms = 10_250; ms <= 20_000; ms += 250) meter.note(100_000 + (ms - 10_000), ms);
    const slow = meter.bytesPerSecond(20_000) ?? 0;
    assert.ok(Math.abs(slow - 1000) < 100, String(slow));
    assert.ok((meter.bytesPerSecond(40_000) ?? slow) < slow / 2);
  });

  it('starts anew when the total falls back', () => {
    const meter = createRateMeter();
    meter.note(1000, 0);
    meter.note(5000, 1000);
    meter.note(2000, 2000);
    assert.equal(meter.bytesPerSecond(2100), undefined);
    meter.note(4000, 3000);
    assert.equal(meter.bytesPerSecond(3000), 2000);
  });
});
