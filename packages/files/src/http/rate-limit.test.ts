import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFilesError } from '../files-error.ts';
import { addressClass, openRateLimit } from './rate-limit.ts';

test('who is refused and asks again at once is let in no later for it', () => {
  let nowMs = 0;
  const limit = openRateLimit({ perSecond: 0.5, burst: 2, clock: () => nowMs });
  const isLetIn = (caller: string): boolean => {
    try {
      limit.take(caller);
      return true;
    } catch (error) {
      assert.ok(isFilesError(error) && error.code === 'too-many-requests');
      assert.equal(error.retryAfterSeconds, Math.ceil((2000 - nowMs) / 1000));
      return false;
    }
  };
  assert.deepEqual([isLetIn('a'), isLetIn('a'), isLetIn('a')], [true, true, false]);
  assert.ok(isLetIn('b'), 'others are not held back');
  for (nowMs = 100; nowMs < 2000; nowMs += 100) assert.equal(isLetIn('a'), false);
  nowMs = 2000;
  assert.ok(isLetIn('a'));
});

test('asking whether one would be let in takes nothing', () => {
  const limit = openRateLimit({ perSecond: 1, burst: 1, clock: () => 0 });
  for (let count = 0; count < 5; count += 1) limit.require('a');
  limit.take('a');
  assert.throws(() => limit.require('a'), { code: 'too-many-requests' });
  assert.throws(() => limit.take('a'), { code: 'too-many-requests' });
  limit.require('b');
});

test('an address counts as itself, and of IPv6 as the network of one customer', () => {
  assert.equal(addressClass('192.0.2.7'), '192.0.2.7');
  assert.equal(addressClass('::ffff:192.0.2.7'), '192.0.2.7');
  assert.equal(addressClass('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2::/64');
  assert.equal(addressClass('2001:db8:1:2::9'), '2001:db8:1:2::/64');
  assert.equal(addressClass('2001:db8::9'), '2001:db8:0:0::/64');
  assert.equal(addressClass('fe80::1%eth0'), 'fe80:0:0:0::/64');
  assert.equal(addressClass('::1'), '0:0:0:0::/64');
  assert.equal(addressClass('2001:0DB8:0001:0002::9'), addressClass('2001:db8:1:2:ffff::1'));
});
