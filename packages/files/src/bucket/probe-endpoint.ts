// Tries out what an endpoint can do, by small real requests under keys of its own that are removed again. Every capability is
// proven by what the bucket holds afterwards, never by a status alone.

import { errorFields, type FilesLog } from '../log.ts';
import type { FoundCapabilities } from './capabilities.ts';
import { probeForm, probeFormOnce } from './probes/probe-forms.ts';
import { probeConditionalComplete, probeCopies, probeParts } from './probes/probe-parts.ts';
import { probeCors, probeReads, probeVersions } from './probes/probe-reads.ts';
import { openProbeRequests } from './probes/probe-requests.ts';
import {
  probeChecksums,
  probeConditionalPut,
  probeRace,
  probeSignedChecksum,
  probeSignedPut,
} from './probes/probe-writes.ts';
import { requireRoundTrip } from './probes/round-trip.ts';
import type { S3Settings } from './s3-settings.ts';
import type { StorageClock } from './storage-clock.ts';

interface ProbeEndpointOptions {
  readonly settings: S3Settings;
  readonly fetch: typeof globalThis.fetch;
  readonly clock: () => number;
  readonly storageClock: Pick<StorageClock, 'answered'>;
  readonly timeoutMs: number;
  /** Gives the n-th key of this run; keys are never given twice. */
  readonly makeKey: (number: number) => string;
  /** Of a page that sends bytes; absent: no page does. */
  readonly origin: string | undefined;
  readonly log: FilesLog;
}

/**
 * The bucket must exist. Throws when the endpoint does not answer, answers that it cannot now, or refuses the plainest request
 * before or after: nothing was learned then.
 */
export async function probeEndpoint(options: ProbeEndpointOptions): Promise<FoundCapabilities> {
  const requests = openProbeRequests(options);
  try {
    await requireRoundTrip(requests);
    const reads = await probeReads(requests);
    // Groups run side by side; within one, each request rests on the one before it.
    const probes = await Promise.allSettled([
      probeConditionalPut(requests),
      probeRace(requests),
      probeSignedPut(requests),
      probeSignedChecksum(requests),
      probeChecksums(requests),
      probeParts(requests),
      probeConditionalComplete(requests),
      probeCopies(requests, options.settings.bucket),
      probeVersions(requests),
      probeForm(requests),
      probeFormOnce(requests),
      probeCors(requests, options.origin),
    ] as const);
    const failed = probes.find((probe) => probe.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    // What was refused meanwhile was refused for itself, and not because keys ended or a clock was set.
    await requireRoundTrip(requests);
    const [put, race, signedPut, signedChecksum, checksums, parts, complete, copies, versions, form, formOnce, cors] =
      probes;
    return {
      ...reads,
      conditionalPut: settled(put),
      conditionalPutRace: settled(race),
      ...settled(signedPut),
      signedChecksum: settled(signedChecksum),
      ...settled(checksums),
      ...settled(parts),
      conditionalComplete: settled(complete),
      ...settled(copies),
      versions: settled(versions),
      form: settled(form),
      formOnce: settled(formOnce),
      cors: settled(cors),
    };
  } finally {
    await requests.cleanUp().catch((error: unknown) => {
      options.log.warn('What a probe wrote could not all be removed; the next sweep does.', {
        bucket: options.settings.bucket,
        ...errorFields(error),
      });
    });
  }
}

function settled<Value>(probe: PromiseSettledResult<Value>): Value {
  if (probe.status === 'rejected') throw probe.reason;
  return probe.value;
}
