import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDomain, parseDurability, parseHost, parsePort, parseRate } from './option-values.ts';

test('ports', () => {
  assert.equal(parsePort('0'), 0);
  assert.equal(parsePort('65535'), 65_535);
  for (const text of ['', '-1', '65536', '80a', '1e3', ' 80', '0x50'])
    assert.throws(() => parsePort(text), /not a port/);
});

test('durabilities', () => {
  assert.deepEqual(parseDurability('strict'), { level: 'strict' });
  assert.deepEqual(parseDurability('memory'), { level: 'memory' });
  assert.deepEqual(parseDurability('interval'), { level: 'interval', intervalMs: 100 });
  assert.deepEqual(parseDurability('interval=25ms'), { level: 'interval', intervalMs: 25 });
  for (const text of ['', 'Strict', 'interval=0', 'interval=60001', 'interval=-5', 'interval=']) {
    assert.throws(() => parseDurability(text), /not a durability/, text);
  }
});

test('rates', () => {
  assert.equal(parseRate('0'), 0);
  assert.equal(parseRate('1000'), 1000);
  assert.equal(parseRate('500k'), 500 * 1024);
  assert.equal(parseRate('8M'), 8 * 1024 ** 2);
  for (const text of ['', '-1', '8MB', '1.5M', 'M', '8 M']) assert.throws(() => parseRate(text), /not a rate/, text);
});

test('hosts and domains', () => {
  assert.equal(parseHost('::1'), '::1');
  for (const text of ['', 'http://a', 'a/b', 'a b']) assert.throws(() => parseHost(text), /not a host/);
  assert.equal(parseDomain('S3.Example.com'), 's3.example.com');
  for (const text of ['', 'a..b', '-a', 'a:80', 'a/b']) assert.throws(() => parseDomain(text), /not a domain/);
});
