// What one bucket at one endpoint was proven to do: found by trying, kept in the database, tried again when it is old. Uploads wait
// for it once, at the first start; afterwards a newer trial goes on beside them. What was not proven is not relied on. But that the
// endpoint does not suffice stops all uploads, so it is believed only when a second, later trial says so too, and even then it is
// tried out again whenever somebody wants to upload.

import type { EndpointTable } from '../database/database.ts';
import type { FileKeys } from '../file-key.ts';
import type { Seal } from '../file-record.ts';
import { FilesError, isFilesError } from '../files-error.ts';
import type { FilesLimits } from '../limits.ts';
import { errorFields, type FilesLog } from '../log.ts';
import type { Bucket } from './bucket.ts';
import {
  expectedCapabilities,
  type KnownEndpoint,
  knownEndpoints,
  mostLike,
  unexpectedCapabilities,
} from './capabilities.ts';
import { allSeals, chooseSeal, explainMissing } from './choose-seal.ts';
import { type EndpointProfile, profileVersion } from './endpoint-profile.ts';
import { probeEndpoint } from './probe-endpoint.ts';
import type { S3Settings } from './s3-settings.ts';
import type { StorageClock } from './storage-clock.ts';

export interface EndpointOptions {
  /** What it is, where that is known: differences from what is known of it are logged. Default: not said. */
  readonly kind?: KnownEndpoint;
  /**
   * `allowed`: it is tried out, by small requests under `probes/` that are removed again. `forbidden`: what is known of its `kind`
   * is relied on. Default `allowed`.
   */
  readonly probing?: 'allowed' | 'forbidden';
  /** The seals that may be used (design: what makes the judged bytes the served bytes). Default: all, the cheapest first. */
  readonly seals?: readonly Seal[];
}

export interface EndpointProfiles {
  /**
   * What may be relied on. Throws `storage-unavailable` when it cannot be found out, or does not suffice to take files; it is then
   * tried out anew beside this.
   */
  current(): Promise<EndpointProfile>;
  /** Tries the endpoint out anew and tells what was found, whether or not it is believed yet. */
  probe(): Promise<EndpointProfile>;
  /**
   * Reads what was found before, and warns when that does not suffice to take files. Throws an Error that says what to mend when
   * it never can: where trying out is forbidden.
   */
  recall(): Promise<void>;
  /** Waits for a trial that runs. */
  close(): Promise<void>;
}

interface EndpointProfilesOptions extends EndpointOptions {
  readonly settings: S3Settings;
  readonly table: EndpointTable;
  readonly bucket: Pick<Bucket, 'prepare' | 'listKeys'>;
  readonly keys: FileKeys;
  readonly limits: FilesLimits;
  readonly fetch: typeof globalThis.fetch;
  readonly clock: () => number;
  /** Milliseconds that only go on. */
  readonly monotonicClock: () => number;
  readonly storageClock: StorageClock;
  readonly newId: () => string;
  readonly log: FilesLog;
  /** Of a page that sends bytes. */
  readonly origin: string | undefined;
}

/** From the end of one trial to the next, where nobody asks for it; and from a finding that stops uploads to its confirmation. */
const trialPauseMs = 60_000;
/** How far the clocks of instances may differ: what was found later than this from now on has a wrong date. */
const maxAheadMs = 15 * 60_000;
/** While the endpoint is tried out. */
const retryAfterSeconds = 5;

/** Throws a `RangeError` when probing is forbidden and it is not said what the endpoint is. */
export function openEndpointProfiles(options: EndpointProfilesOptions): EndpointProfiles {
  const { settings, table, bucket, keys, limits, clock, monotonicClock, storageClock } = options;
  const { newId, log, kind, seals = allSeals } = options;
  const { endpoint, bucket: bucketName } = settings;
  const forbidden = options.probing === 'forbidden';
  if (forbidden && kind === undefined) {
    throw new RangeError(
      `Where an endpoint may not be tried out, its kind must be said: one of ${Object.keys(knownEndpoints).join(', ')}.`,
    );
  }
  let known: EndpointProfile | undefined;
  let probing: Promise<EndpointProfile> | undefined;
  /** Of a finding that is not believed yet. */
  let doubt: { readonly missing: string; readonly sinceMs: number } | undefined;
  /** When the last trial of this process ended, whatever came of it. */
  let triedAtMs = Number.NEGATIVE_INFINITY;

  function isFresh({ probedAtMs }: EndpointProfile): boolean {
    const ageMs = clock() - probedAtMs;
    return ageMs >= -maxAheadMs && ageMs < limits.profileLifeMs;
  }

  /** Why no upload can be taken; `undefined` when one can. */
  function missing(): string | undefined {
    return known === undefined ? doubt?.missing : whatIsMissing(known, seals);
  }

  /** Milliseconds until the endpoint may be tried out again without being asked to. */
  function restMs(): number {
    return Math.max(0, triedAtMs + trialPauseMs - monotonicClock());
  }

  async function read(): Promise<EndpointProfile | undefined> {
    if (forbidden && kind !== undefined) {
      const assumed = { endpoint, bucket: bucketName, version: profileVersion, probedAtMs: clock() };
      return { ...assumed, basis: 'assumed', capabilities: expectedCapabilities(kind) };
    }
    const kept = await table.get({ endpoint, bucket: bucketName });
    return kept?.version === profileVersion ? kept : undefined;
  }

  async function probeOnce(): Promise<EndpointProfile> {
    await bucket.prepare();
    const run = newId();
    const capabilities = await probeEndpoint({
      ...options,
      timeoutMs: limits.bucketTimeoutMs,
      makeKey: (number) => keys.makeProbe(run, number),
    });
    const profile: EndpointProfile = {
      endpoint,
      bucket: bucketName,
      version: profileVersion,
      probedAtMs: clock(),
      basis: 'found',
      capabilities,
    };
    await keep(profile);
    return profile;
  }

  /** Keeps what was found, but for the first word that an endpoint does not suffice which did, or of which nothing was known. */
  async function keep(profile: EndpointProfile): Promise<void> {
    const lacking = whatIsMissing(profile, seals);
    const wasInsufficient = known !== undefined && whatIsMissing(known, seals) !== undefined;
    if (lacking !== undefined && !wasInsufficient) {
      const sinceMs = doubt?.sinceMs ?? monotonicClock();
      doubt = { missing: lacking, sinceMs };
      if (monotonicClock() - sinceMs < trialPauseMs) {
        const held = known === undefined ? 'No uploads are taken meanwhile.' : 'What was found before holds meanwhile.';
        log.warn(`The endpoint was not found to suffice; it is tried out again before that is believed. ${held}`, {
          reason: lacking,
        });
        return;
      }
    }
    await table.put(profile);
    known = profile;
    doubt = undefined;
    if (lacking !== undefined) log.warn('The endpoint does not suffice; no uploads are taken.', { reason: lacking });
    tell(profile);
  }

  function tell({ capabilities }: EndpointProfile): void {
    const compared = kind ?? mostLike(capabilities);
    const differences = unexpectedCapabilities(capabilities, compared)
      // Without a page there was nothing to try.
      .filter(({ capability }) => capability !== 'cors' || options.origin !== undefined)
      .map(({ capability, found }) => `${found ? '' : 'no '}${capability}`)
      .join(', ');
    const fields = { endpoint, bucket: bucketName, comparedWith: knownEndpoints[compared], differences };
    if (kind !== undefined && differences !== '') log.warn('The endpoint is not what was said of it.', fields);
    else log.info('The endpoint was tried out.', fields);
  }

  function probe(): Promise<EndpointProfile> {
    probing ??= probeOnce()
      .catch((error: unknown) => {
        throw unlearned(error);
      })
      .finally(() => {
        probing = undefined;
        triedAtMs = monotonicClock();
      });
    return probing;
  }

  /** Names the clock where that is wrong: what is refused then is refused for it. */
  function unlearned(cause: unknown): unknown {
    const wrongClock = storageClock.problem();
    if (wrongClock === undefined && isFilesError(cause)) return cause;
    return new FilesError('storage-unavailable', {
      detail: wrongClock ?? 'What the object storage can do could not be found out. Try again in a moment.',
      retryAfterSeconds,
      cause,
    });
  }

  function probeBeside(): void {
    probe().catch((error: unknown) => {
      log.warn('The endpoint could not be tried out anew; what was found before holds.', errorFields(error));
    });
  }

  /** Any answer tells the time there. To sign a URL nothing is asked, and what is uploaded by it never comes back here. */
  function askForTime(): void {
    bucket.listKeys(keys.makeProbe(newId(), 0)).catch((error: unknown) => {
      log.info('The object storage could not be asked for the time after the clock was set.', errorFields(error));
    });
  }

  return {
    probe,

    recall: async () => {
      known = await read();
      const reason = missing();
      if (reason === undefined) return;
      if (forbidden) throw new Error(reason);
      log.warn('The endpoint was found not to suffice; it is tried out again. No uploads are taken meanwhile.', {
        reason,
      });
    },

    current: async () => {
      if (storageClock.wasSet()) askForTime();
      known ??= await read();
      if (known === undefined && doubt === undefined) await probe();
      const isDue = doubt !== undefined || missing() !== undefined || (known !== undefined && !isFresh(known));
      if (!forbidden && isDue && restMs() === 0) {
        // Another instance may have tried it out meanwhile.
        const kept = await read();
        const helps = kept !== undefined && isFresh(kept) && whatIsMissing(kept, seals) === undefined;
        if (helps && doubt === undefined) known = kept;
        else probeBeside();
      }
      const reason = missing();
      if (known !== undefined && reason === undefined) return known;
      const waitSeconds = Math.max(retryAfterSeconds, Math.ceil(restMs() / 1000));
      throw new FilesError('storage-unavailable', {
        detail: reason ?? 'What the object storage can do is not known yet. Try again in a moment.',
        ...(forbidden ? {} : { retryAfterSeconds: waitSeconds }),
      });
    },

    close: async () => {
      await probing?.catch(() => undefined); // told already
    },
  };
}

/** Why the endpoint cannot be used at all, in words for whoever has to mend it; `undefined` when it can. */
function whatIsMissing(
  { capabilities, endpoint, bucket }: EndpointProfile,
  seals: readonly Seal[],
): string | undefined {
  const where = `The endpoint ${endpoint} with the bucket ${bucket}`;
  if (!capabilities.downloadHeaders) {
    return `${where} does not answer with the type and disposition that a URL signs, so pages could be made to run what was uploaded. Use another endpoint, or take away what rewrites its answers.`;
  }
  if (
    chooseSeal('put', capabilities, seals) === undefined &&
    chooseSeal('multipart', capabilities, seals) === undefined
  ) {
    const ways = (['put', 'multipart'] as const).map((way) => `${way}: ${explainMissing(way, capabilities, seals)}`);
    return `${where} was not proven to keep bytes as they were judged. ${ways.join('. ')}. Enable versioning on the bucket, allow more seals, or use another endpoint.`;
  }
  return undefined;
}
