// What one bucket at one endpoint was proven to do: found by trying, kept in the database, tried again when it is old. Uploads wait
// for it once, at the first start; afterwards a newer trial goes on beside them. What was not proven is not relied on.

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
  /** What may be relied on. Throws `storage-unavailable` when it cannot be found out, or does not suffice to take files. */
  current(): Promise<EndpointProfile>;
  /** Tries the endpoint out anew. */
  probe(): Promise<EndpointProfile>;
  /** Reads what was found before. Throws an Error that says what to mend when that does not suffice to take files. */
  recall(): Promise<void>;
  /** Waits for a trial that runs. */
  close(): Promise<void>;
}

interface EndpointProfilesOptions extends EndpointOptions {
  readonly settings: S3Settings;
  readonly table: EndpointTable;
  readonly bucket: Pick<Bucket, 'prepare'>;
  readonly keys: FileKeys;
  readonly limits: FilesLimits;
  readonly fetch: typeof globalThis.fetch;
  readonly clock: () => number;
  readonly newId: () => string;
  readonly log: FilesLog;
  /** Of a page that sends bytes. */
  readonly origin: string | undefined;
}

/** Throws a `RangeError` when probing is forbidden and it is not said what the endpoint is. */
export function openEndpointProfiles(options: EndpointProfilesOptions): EndpointProfiles {
  const { settings, table, bucket, keys, limits, clock, newId, log, kind, seals = allSeals } = options;
  const { endpoint, bucket: bucketName } = settings;
  const forbidden = options.probing === 'forbidden';
  if (forbidden && kind === undefined) {
    throw new RangeError(
      `Where an endpoint may not be tried out, its kind must be said: one of ${Object.keys(knownEndpoints).join(', ')}.`,
    );
  }
  let known: EndpointProfile | undefined;
  let probing: Promise<EndpointProfile> | undefined;

  function isFresh({ version, probedAtMs }: EndpointProfile): boolean {
    return version === profileVersion && clock() < probedAtMs + limits.profileLifeMs;
  }

  async function read(): Promise<EndpointProfile | undefined> {
    if (forbidden && kind !== undefined) {
      const assumed = { endpoint, bucket: bucketName, version: profileVersion, probedAtMs: clock() };
      return { ...assumed, basis: 'assumed', capabilities: expectedCapabilities(kind) };
    }
    return table.get({ endpoint, bucket: bucketName });
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
    await table.put(profile);
    known = profile;
    tell(profile);
    return profile;
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
        throw isFilesError(error)
          ? error
          : new FilesError('storage-unavailable', {
              detail: 'What the object storage can do could not be found out. Try again in a moment.',
              retryAfterSeconds: 5,
              cause: error,
            });
      })
      .finally(() => {
        probing = undefined;
      });
    return probing;
  }

  return {
    probe,

    recall: async () => {
      known = await read();
      const missing = known === undefined || known.version !== profileVersion ? undefined : whatIsMissing(known, seals);
      if (missing !== undefined) throw new Error(missing);
    },

    current: async () => {
      known ??= await read();
      if (known === undefined || known.version !== profileVersion) known = await probe();
      else if (!forbidden && !isFresh(known)) {
        // Another instance may have tried it out meanwhile.
        const kept = await read();
        if (kept !== undefined && isFresh(kept)) known = kept;
        else {
          probe().catch((error: unknown) => {
            log.warn('The endpoint could not be tried out anew; what was found before holds.', errorFields(error));
          });
        }
      }
      const missing = whatIsMissing(known, seals);
      if (missing !== undefined) throw new FilesError('storage-unavailable', { detail: missing });
      return known;
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
