import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readStorageEvents } from './storage-event.ts';

const hint = { bucket: 'files', key: 'files/main/ann lee/01J.0' };
const encoded = 'files%2Fmain%2Fann+lee%2F01J.0';
const record = { eventName: 'ObjectCreated:Put', s3: { bucket: { name: 'files' }, object: { key: encoded, size: 1 } } };
const plain = { Records: [record] };
const envelope = (message: unknown): object => ({
  Type: 'Notification',
  TopicArn: 'arn',
  Message: JSON.stringify(message),
});

for (const [name, message] of Object.entries({
  'Amazon S3': plain,
  'Amazon S3 by SNS': envelope(plain),
  'Amazon S3 by SNS by SNS': envelope(envelope(plain)),
  EventBridge: {
    source: 'aws.s3',
    'detail-type': 'Object Created',
    detail: { bucket: { name: 'files' }, object: { key: hint.key } },
  },
  MinIO: { EventName: 's3:ObjectCreated:Put', Key: `files/${hint.key}`, Records: [record] },
  Ceph: { Records: [{ ...record, eventSource: 'ceph:s3', opaqueData: 'said', eventId: '1' }] },
})) {
  test(`an event of ${name}`, () => {
    assert.deepEqual(readStorageEvents(JSON.stringify(message)).hints, [hint]);
  });
}

test('a key that was not encoded stays as it is', () => {
  const message = { Records: [{ s3: { bucket: { name: 'files' }, object: { key: '100%/a' } } }] };
  assert.equal(readStorageEvents(JSON.stringify(message)).hints[0]?.key, '100%/a');
});

test('trials and subscriptions hold no hints', () => {
  assert.equal(readStorageEvents('{"Service":"Amazon S3","Event":"s3:TestEvent"}').control, 'test');
  const subscription = { Type: 'SubscriptionConfirmation', Message: 'Please confirm', SubscribeURL: 'https://a.test' };
  assert.equal(readStorageEvents(JSON.stringify(subscription)).control, 'subscription');
});

test('what is no event is refused', () => {
  const tooMany = { Records: Array.from({ length: 1_001 }, () => record) };
  for (const text of ['', '[]', 'null', '{}', '{"Records":[{}]}', '{"Records":{}}', JSON.stringify(tooMany)]) {
    assert.throws(() => readStorageEvents(text), SyntaxError, text.slice(0, 40));
  }
});
