// The ways on which an endpoint tells of its bucket, as they are configured: a webhook, a queue, both or none. With none at all the
// reviews of rows find everything, only later.

import type { S3Settings } from '../bucket/s3-settings.ts';
import type { Outbox } from '../database/work-tables.ts';
import type { FilesLog } from '../log.ts';
import { type EventsWebhook, openEventsWebhook } from './events-webhook.ts';
import { type MessageOutcome, openSqsPoller, type SqsSettings } from './sqs-poller.ts';
import { type HintOutcome, type TakeHintsOptions, takeHints } from './take-hints.ts';

export interface EventsInOptions {
  /** What whoever posts to `/internal/s3-events` must show. At least 16 characters. Default: nobody may. */
  readonly secret?: string;
  readonly sqs?: SqsSettings;
}

export interface EventsIn {
  /** `undefined` where nobody may post events. */
  readonly webhook: EventsWebhook | undefined;
  start(): void;
  close(): Promise<void>;
}

interface OpenEventsInOptions extends Omit<TakeHintsOptions, 'bucket' | 'onHint' | 'outbox'> {
  readonly given: EventsInOptions;
  readonly s3: S3Settings;
  readonly outbox: Outbox;
  readonly maxBodyBytes: number;
  readonly log: FilesLog;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly onHint: (outcome: HintOutcome) => void;
  readonly onMessage: (outcome: MessageOutcome) => void;
}

/** Throws a `RangeError` when the secret is too short. */
export function openEventsIn(options: OpenEventsInOptions): EventsIn {
  const { given, s3 } = options;
  const take: Parameters<typeof openEventsWebhook>[0]['take'] = (hints) =>
    takeHints(hints, { ...options, bucket: s3.bucket });
  const poller =
    given.sqs === undefined
      ? undefined
      : openSqsPoller({ ...options, settings: { credentials: s3.credentials, ...given.sqs }, take });
  return {
    webhook: given.secret === undefined ? undefined : openEventsWebhook({ ...options, secret: given.secret, take }),
    start: () => poller?.start(),
    close: async () => poller?.close(),
  };
}
