import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseDeliveries } from './choose-deliveries.ts';

const due = (count: number, url: string, tenantId = 'main', webhookId = url) =>
  Array.from({ length: count }, (_, number) => ({ id: `${url} ${number}`, tenantId, webhookId, url }));
const places = { running: [], free: 10, ofReceiver: 2, ofTenant: 5 };

test('a receiver has a few places, however many paths and webhooks lead to it', () => {
  const { ids, passedOver } = chooseDeliveries(
    [...due(3, 'https://slow.test/a'), ...due(3, 'https://slow.test/b'), ...due(1, 'https://quick.test/')],
    places,
  );
  assert.deepEqual(ids, ['https://slow.test/a 0', 'https://slow.test/a 1', 'https://quick.test/ 0']);
  assert.deepEqual(passedOver, ['https://slow.test/a', 'https://slow.test/b']);
});

test('what is being sent counts', () => {
  const running = due(2, 'https://slow.test/a');
  assert.deepEqual(chooseDeliveries(due(1, 'https://slow.test/c'), { ...places, running }).ids, []);
});

test('a tenant has not all places, whatever its receivers', () => {
  const many = Array.from({ length: 8 }, (_, number) => due(1, `https://${number}.test/`)).flat();
  const { ids } = chooseDeliveries([...many, ...due(1, 'https://other.test/', 'other')], places);
  assert.equal(ids.length, 6);
  assert.equal(ids.at(-1), 'https://other.test/ 0');
});

test('no more are chosen than there is room for', () => {
  const many = Array.from({ length: 8 }, (_, number) => due(1, `https://${number}.test/`, `tenant ${number}`)).flat();
  assert.equal(chooseDeliveries(many, { ...places, free: 3 }).ids.length, 3);
});
