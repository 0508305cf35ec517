import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openTrustedProxies } from './client-address.ts';

test('only what trusted proxies added is believed, from the right', () => {
  const proxies = openTrustedProxies(['10.0.0.0/8', '2001:db8::1', 'loopback']);
  const of = (connection: string, forwardedFor?: string): string => proxies.clientAddress(connection, forwardedFor);
  assert.equal(of('192.0.2.7', '198.51.100.1'), '192.0.2.7', 'anybody can write the header');
  assert.equal(of('10.0.0.1', '198.51.100.1'), '198.51.100.1');
  assert.equal(
    of('10.0.0.1', '6.6.6.6, 198.51.100.1'),
    '198.51.100.1',
    'what the client wrote itself stands further left',
  );
  assert.equal(of('::ffff:10.0.0.1', '198.51.100.1, 10.2.3.4'), '198.51.100.1', 'through two proxies');
  assert.equal(of('2001:db8::1', '[2001:db8::99]:443'), '2001:db8::99');
  assert.equal(of('127.0.0.1', '198.51.100.1:5000'), '198.51.100.1');
  assert.equal(of('10.0.0.1'), '10.0.0.1');
  assert.equal(of('10.0.0.1', 'unknown'), '10.0.0.1');
  assert.equal(of('10.0.0.1', '10.0.0.2'), '10.0.0.2', 'a proxy that asks for itself');
  assert.equal(openTrustedProxies([]).clientAddress('127.0.0.1', '198.51.100.1'), '127.0.0.1');
});

test('what is neither an address nor a range is refused', () => {
  for (const text of ['10.0.0.0/33', 'proxy.example.com', '']) {
    assert.throws(() => openTrustedProxies([text]), /is given as/);
  }
});
