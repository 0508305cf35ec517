// The keys that requests to S3 are signed with: as they were given, or from where the AWS SDK looks (profile, single sign-on, a
// container's or an instance's role). Those end and are fetched anew well before, because an address that was signed with them dies
// with them. What is answered is one object whose fields are the keys of the moment.

import { setTimeout as sleep } from 'node:timers/promises';
import { CommandError } from './command-error.ts';
import type { Log } from './logging.ts';

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** When they end, as far as is known. */
  readonly expiration?: Date;
}

interface OpenedS3Credentials {
  readonly credentials: S3Credentials;
  /** Where they come from, for people. */
  readonly source: string;
  close(): void;
}

/** Keys are fetched anew so long before they end: signed addresses live for 15 minutes. */
const aheadMs = 20 * 60_000;
const minWaitMs = 30_000;
const maxWaitMs = 12 * 60 * 60_000;

/** @throws CommandError `usage` when none are found. */
export async function openS3Credentials(options: {
  readonly given: S3Credentials | undefined;
  readonly profile: string | undefined;
  readonly log: Log;
}): Promise<OpenedS3Credentials> {
  const { given, profile, log } = options;
  if (given !== undefined) return { credentials: given, source: 'as given', close: () => undefined };
  const { defaultProvider } = await import('@aws-sdk/credential-provider-node');
  const find = defaultProvider(profile === undefined ? {} : { profile });
  let current: S3Credentials;
  try {
    current = await find();
  } catch (cause) {
    throw new CommandError(
      'usage',
      'There are no keys for S3: none were given, and the AWS SDK finds none either ' +
        `(${cause instanceof Error ? cause.message : String(cause)}). Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the machine a role.`,
      { cause },
    );
  }
  const closing = new AbortController();
  const refresh = async (): Promise<void> => {
    while (current.expiration !== undefined && !closing.signal.aborted) {
      const leftMs = current.expiration.getTime() - Date.now();
      const waitMs = Math.min(maxWaitMs, Math.max(minWaitMs, Math.min(leftMs - aheadMs, leftMs)));
      await sleep(waitMs, undefined, { signal: closing.signal, ref: false });
      try {
        current = await find({ forceRefresh: true });
      } catch (error) {
        log.error('The keys for S3 could not be fetched anew; those at hand are used to their end.', {
          error: error instanceof Error ? error.message : String(error),
          expiration: current.expiration?.toISOString(),
        });
      }
    }
  };
  refresh().catch(() => undefined); // Closed: sleep throws nothing else.
  return { credentials: follow(() => current), source: 'the AWS SDK’s own search', close: () => closing.abort() };
}

/** One object that always tells the keys of the moment. */
function follow(current: () => S3Credentials): S3Credentials {
  const fields = [
    'accessKeyId',
    'secretAccessKey',
    'sessionToken',
    'expiration',
  ] as const satisfies readonly (keyof S3Credentials)[];
  const object = {};
  for (const field of fields) Object.defineProperty(object, field, { enumerable: true, get: () => current()[field] });
  // Each field of the interface was defined above.
  return object as S3Credentials;
}
