// Takes events out of a queue of SQS. A message is deleted only after what it says is committed; one that comes twice, late or in
// another order changes nothing. One that cannot be read is left for others to look at and dropped after some tries, so that it
// does not come back for ever. The AWS SDK for it is loaded when it is first needed. Spec: ReceiveMessage, DeleteMessageBatch.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Message, SQSClient } from '@aws-sdk/client-sqs';
import { errorFields, type FilesLog } from '../log.ts';
import { readStorageEvents, type StorageHint } from './storage-event.ts';

export interface SqsSettings {
  readonly queueUrl: string;
  readonly region: string;
  /** Default: that of the region. */
  readonly endpoint?: string;
  /** Default: those of the bucket. */
  readonly credentials?: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
  /** How long one request waits for messages. 0 to 20. Default 20. */
  readonly waitSeconds?: number;
  /** How often a message that cannot be read may come before it is dropped. Default 5. */
  readonly maxReceives?: number;
}

export type MessageOutcome = 'taken' | 'unreadable' | 'dropped' | 'failed';

interface SqsPoller {
  start(): void;
  /** Takes no more messages and waits for those at hand. */
  close(): Promise<void>;
}

interface SqsPollerOptions {
  readonly settings: SqsSettings & Required<Pick<SqsSettings, 'credentials'>>;
  readonly take: (hints: readonly StorageHint[]) => Promise<void>;
  readonly log: FilesLog;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly onMessage: (outcome: MessageOutcome) => void;
}

const defaults = { waitSeconds: 20, maxReceives: 5 };
/** SQS's own. */
const maxMessages = 10;
const retryBaseMs = 500;
const retryCapMs = 60_000;
const answerTimeoutMs = 10_000;

export function openSqsPoller({ settings, take, log, random, onMessage }: SqsPollerOptions): SqsPoller {
  const { queueUrl, waitSeconds, maxReceives } = { ...defaults, ...settings };
  const closing = new AbortController();
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    const sdk = await import('@aws-sdk/client-sqs');
    const client: SQSClient = new sdk.SQSClient({
      region: settings.region,
      // Read when they are needed: keys of a role end, and are others then.
      credentials: async () => ({ ...settings.credentials }),
      ...(settings.endpoint === undefined ? {} : { endpoint: settings.endpoint }),
      maxAttempts: 1,
      requestHandler: { requestTimeout: waitSeconds * 1000 + answerTimeoutMs, throwOnRequestTimeout: true },
    });
    try {
      for (let failures = 0; !closing.signal.aborted; ) {
        try {
          const receive = new sdk.ReceiveMessageCommand({
            QueueUrl: queueUrl,
            MaxNumberOfMessages: maxMessages,
            WaitTimeSeconds: waitSeconds,
            MessageSystemAttributeNames: ['ApproximateReceiveCount'],
          });
          const { Messages: messages = [] } = await client.send(receive, { abortSignal: closing.signal });
          const done = await Promise.all(messages.map(work));
          const entries = done
            .filter((handle) => handle !== undefined)
            .map((handle, index) => ({ Id: String(index), ReceiptHandle: handle }));
          // One that stays comes again, which changes nothing. What is done is deleted also while closing.
          if (entries.length > 0) {
            await client.send(new sdk.DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries: entries }));
          }
          failures = 0;
        } catch (error) {
          if (closing.signal.aborted) return;
          log.warn('The queue of S3 events does not answer; it is asked again.', { queueUrl, ...errorFields(error) });
          const longest = Math.min(retryCapMs, retryBaseMs * 2 ** failures++);
          await sleep(random() * longest, undefined, { signal: closing.signal }).catch(() => undefined); // closed
        }
      }
    } finally {
      client.destroy();
    }
  }

  /** The handle of a message that is done with. */
  async function work({ Body: body = '', ReceiptHandle: handle, Attributes: attributes }: Message) {
    let hints: readonly StorageHint[];
    try {
      ({ hints } = readStorageEvents(body));
    } catch (error) {
      const receives = Number(attributes?.ApproximateReceiveCount ?? 1);
      const dropped = receives >= maxReceives;
      onMessage(dropped ? 'dropped' : 'unreadable');
      const fields = { queueUrl, receives, ...errorFields(error) };
      if (dropped) log.error('A message that is no S3 event was dropped.', fields);
      else log.warn('A message is no S3 event; it is left for now.', fields);
      return dropped ? handle : undefined;
    }
    try {
      await take(hints);
      onMessage('taken');
      return handle;
    } catch (error) {
      onMessage('failed');
      log.warn('An S3 event could not be taken; it comes again.', { queueUrl, ...errorFields(error) });
      return undefined;
    }
  }

  return {
    start: () => {
      running ??= run().catch((error: unknown) => {
        log.error('The queue of S3 events is no longer read.', { queueUrl, ...errorFields(error) });
      });
    },
    close: async () => {
      closing.abort(new Error('The service is closed.'));
      await running;
    },
  };
}
