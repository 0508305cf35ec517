// `POST /internal/s3-events`: where an endpoint tells of its bucket. The secret comes as a bearer token (MinIO, API destinations of
// EventBridge), as the password of basic authentication (SNS), or in the event itself (Ceph's `OpaqueData`: its topics send no header).

import { createHash, timingSafeEqual } from 'node:crypto';
import { FilesError } from '../files-error.ts';
import type { FilesLog } from '../log.ts';
import { readStorageEvents, type StorageEvents, type StorageHint } from './storage-event.ts';

export interface EventsWebhook {
  /** Answers 204 once every hint is committed. Throws `unauthenticated`, `invalid-request`, `request-too-large`. */
  answer(request: Request): Promise<Response>;
}

interface EventsWebhookOptions {
  readonly secret: string;
  readonly maxBodyBytes: number;
  readonly take: (hints: readonly StorageHint[]) => Promise<void>;
  readonly log: FilesLog;
}

const minSecretCharacters = 16;

/** Throws a `RangeError` when the secret is too short. */
export function openEventsWebhook({ secret, maxBodyBytes, take, log }: EventsWebhookOptions): EventsWebhook {
  if (secret.length < minSecretCharacters) {
    throw new RangeError(
      `The secret of S3 events has ${secret.length} characters; it needs at least ${minSecretCharacters}.`,
    );
  }
  const expected = digest(secret);
  const isSecret = (given: string): boolean => timingSafeEqual(digest(given), expected);

  return {
    answer: async (request) => {
      const said = credentialsOf(request.headers.get('authorization') ?? '');
      const known = said !== undefined && isSecret(said);
      // Nothing of a stranger's is parsed, but where a topic has no other way to say who it is.
      if (said !== undefined && !known) throw unknownSender();
      const events = parse(await readText(request, maxBodyBytes));
      if (!known && !(events.opaqueData.length > 0 && events.opaqueData.every(isSecret))) throw unknownSender();
      if (events.control === 'subscription') {
        log.warn('SNS asks to confirm a subscription. Confirm it where the topic is managed.', {
          path: '/internal/s3-events',
        });
      }
      await take(events.hints);
      return new Response(null, { status: 204 });
    },
  };
}

function unknownSender(): FilesError {
  return new FilesError('unauthenticated', {
    detail: 'S3 events need their secret: as a bearer token, as a password, or in the event’s opaqueData.',
  });
}

function credentialsOf(authorization: string): string | undefined {
  const [scheme = ''] = authorization.split(' ', 1);
  const value = authorization.slice(scheme.length).trim();
  if (scheme.toLowerCase() === 'bearer') return value;
  if (scheme.toLowerCase() !== 'basic') return undefined;
  const pair = Buffer.from(value, 'base64').toString('utf8');
  return pair.slice(pair.indexOf(':') + 1);
}

function parse(text: string): StorageEvents {
  try {
    return readStorageEvents(text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new FilesError('invalid-request', { detail: `This is no S3 event: ${why}`, cause });
  }
}

async function readText(request: Request, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of request.body ?? []) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > maxBytes) {
      throw new FilesError('request-too-large', { detail: `An event has at most ${maxBytes} bytes.` });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
