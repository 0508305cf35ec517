import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { blockChecksums } from '../blobs/block-checksums.ts';
import type { StagedContent } from '../blobs/staged-content.ts';
import { storeError } from '../contract/store-under-test.ts';
import { StoreError } from '../store-error.ts';
import { until } from '../testing/until.ts';
import { RemoteCommitter } from './remote-committer.ts';
import { packError, unpackContent, type WorkerMessage } from './wire.ts';

const address = { bucket: 'bucket', key: 'key' };

function remove(number: number): { readonly name: 'deleteObject'; readonly argument: typeof address } {
  return { name: 'deleteObject', argument: { ...address, key: `key-${number}` } };
}

function inline(bytes: Buffer): StagedContent {
  return { kind: 'inline', bytes, checksums: blockChecksums(bytes) };
}

function putOf(content: StagedContent): Parameters<typeof RemoteCommitter.prototype.commit<'putObject'>>[0] {
  const attributes = { systemMetadata: {}, userMetadata: {}, storageClass: 'STANDARD', owner: 'owner' };
  return { name: 'putObject', argument: { ...address, sizeBytes: 1, etag: 'etag', attributes }, content };
}

/** A remote committer, the messages that it sent, and what it gave up. */
async function withRemote(
  use: (
    remote: RemoteCommitter,
    about: { messages: WorkerMessage[]; abandoned: StagedContent[] },
    port: MessagePort,
  ) => Promise<void>,
): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  const messages: WorkerMessage[] = [];
  const abandoned: StagedContent[] = [];
  port1.on('message', (message: WorkerMessage) => messages.push(message));
  const abandon = async (content: StagedContent): Promise<void> => void abandoned.push(content);
  try {
    await use(new RemoteCommitter({ port: port2, abandon }), { messages, abandoned }, port1);
  } finally {
    port1.close();
  }
}

function arrived(messages: readonly WorkerMessage[]): Promise<void> {
  return until(() => messages.length > 0, 'a message arrives');
}

describe('remote committer', () => {
  it('sends the calls of one turn in one message, and settles each by its answer', async () => {
    await withRemote(async (remote, { messages }) => {
      const [first, second] = [remote.commit(remove(1)), remote.commit(remove(2))];
      await arrived(messages);
      const [message] = messages;
      assert.ok(messages.length === 1 && message?.kind === 'calls');
      assert.deepEqual(
        message.calls.map(({ name, argument }) => [name, argument]),
        [1, 2].map((number) => ['deleteObject', remove(number).argument]),
      );
      const refusal = packError(new StoreError('PreconditionFailed', { details: { condition: 'If-Match' } }));
      remote.take([
        { id: message.calls[1]?.id ?? 0, refusal },
        { id: message.calls[0]?.id ?? 0, result: undefined },
      ]);
      await assert.rejects(second, { ...storeError('PreconditionFailed'), details: { condition: 'If-Match' } });
      assert.equal(await first, undefined);
      await remote.close();
      await assert.rejects(remote.commit(remove(3)), storeError('Closed'));
    });
  });

  it('brings bytes over as they are, whatever memory they lie in', async () => {
    await withRemote(async (remote, { messages }) => {
      const whole = Buffer.from(Buffer.allocUnsafeSlow(5000).fill('whole'));
      const pooled = Buffer.from('a few bytes of a pool');
      const shared = Buffer.from(new SharedArrayBuffer(100)).fill('shared');
      const contents = [inline(whole), inline(pooled), inline(shared), inline(Buffer.alloc(0))];
      const expected = [whole, pooled, shared, Buffer.alloc(0)].map(String);
      for (const content of contents) void remote.commit(putOf(content)).catch(() => undefined);
      const blobId = Buffer.from('0123456789');
      void remote.commit(putOf({ kind: 'blob', blobId })).catch(() => undefined);
      await arrived(messages);
      const [message] = messages;
      assert.ok(message?.kind === 'calls');
      const got = message.calls.map(({ content }) => unpackContent(content));
      for (const [at, text] of expected.entries()) {
        const content = got[at];
        assert.ok(content?.kind === 'inline');
        assert.equal(String(content.bytes), text);
        assert.ok(content.checksums.equals(blockChecksums(Buffer.from(text))));
        assert.ok(content.bytes.buffer.byteLength <= 5000, 'no more came along than was sent');
      }
      assert.deepEqual(got.at(-1), { kind: 'blob', blobId });
      remote.disconnect();
    });
  });

  it('refuses what would wait beyond its bounds, and gives the bytes up', async () => {
    await withRemote(async (remote, { abandoned }) => {
      const waiting = Array.from({ length: 10_000 }, (_, number) => remote.commit(remove(number)));
      const content = inline(Buffer.from('one more'));
      await assert.rejects(remote.commit(putOf(content)), storeError('Overloaded'));
      assert.deepEqual(abandoned, [content]);
      remote.disconnect();
      for (const { status } of await Promise.allSettled(waiting)) assert.equal(status, 'rejected');
    });
    await withRemote(async (remote) => {
      const bytes = Buffer.alloc(32 * 1024 * 1024);
      const waiting = Array.from({ length: 4 }, () =>
        remote.commit(putOf({ kind: 'inline', bytes: Buffer.from(bytes), checksums: bytes.subarray(0, 0) })),
      );
      await assert.rejects(remote.commit(remove(1)), storeError('Overloaded'));
      remote.disconnect();
      for (const { status } of await Promise.allSettled(waiting)) assert.equal(status, 'rejected');
    });
  });

  it('writes nothing more once it has been told that writing has stopped', async () => {
    await withRemote(async (remote, { messages, abandoned }) => {
      const told = remote.commit(remove(1));
      await arrived(messages);
      remote.take([{ id: 1, refusal: packError(new StoreError('ReadOnly', { message: 'the disk' })) }]);
      await assert.rejects(told, storeError('ReadOnly'));
      assert.equal(remote.failure?.message, 'the disk');
      await assert.rejects(remote.commit(putOf(inline(Buffer.from('x')))), {
        ...storeError('ReadOnly'),
        message: 'the disk',
      });
      assert.equal(abandoned.length, 1);
    });
  });
});
