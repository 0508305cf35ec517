// How requests go to a bucket: over the AWS SDK, which is loaded when it is first needed (it takes half a second), each under the
// guard of time-outs, retries and circuit. What the requests are is in objects.ts and multipart-uploads.ts.
// Spec: the S3 API reference. Streams and uploads need `WHEN_REQUIRED`, or other endpoints are sent checksums they do not know.

import type { S3Client } from '@aws-sdk/client-s3';
import { FilesError, isFilesError } from '../files-error.ts';
import type { FilesLimits } from '../limits.ts';
import type { RequestAllowance, RequestGuard } from './guard-requests.ts';
import type { S3Settings } from './s3-settings.ts';
import { errorCode } from './sdk-error.ts';
import type { StorageClock } from './storage-clock.ts';

type S3Module = typeof import('@aws-sdk/client-s3');

export interface BucketRequestsOptions {
  readonly settings: S3Settings;
  readonly limits: FilesLimits;
  readonly guard: RequestGuard;
  /** By which the endpoint goes on with the trace at hand; they are not signed. */
  readonly traceHeaders: () => Readonly<Record<string, string>>;
  readonly clock: () => number;
  /** Told of every answer. */
  readonly storageClock: Pick<StorageClock, 'answered'>;
}

/** What every answer over HTTP has in the SDK. */
interface HttpHead {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
}

interface Loaded {
  readonly sdk: S3Module;
  /** For what is answered at once. */
  readonly client: S3Client;
  /** For what the endpoint works on before it answers. */
  readonly patient: S3Client;
  /** For bodies that are read as fast as somebody else takes them: however many hang, the others have connections left. */
  readonly lasting: S3Client;
}

interface AskOptions {
  /** The error codes that mean that the thing asked for is not there. */
  readonly missing?: readonly string[];
  /** Default: what is answered at once, and may be sent again. */
  readonly allowance?: RequestAllowance;
  /** Of whoever asks: once it is aborted the endpoint owes nothing, and nothing is tried again. */
  readonly caller?: AbortSignal | undefined;
}

export interface BucketRequests {
  /** The bucket's name. */
  readonly bucket: string;
  /** Runs one request; `undefined` when the thing asked for is not there. Throws `storage-unavailable`. */
  ask<Answer>(
    what: keyof typeof asked,
    request: (loaded: Loaded, send: { readonly abortSignal: AbortSignal }) => Promise<Answer>,
    options?: AskOptions,
  ): Promise<Answer | undefined>;
  close(): void;
}

/** What the service could not do, for whoever asked. */
const asked = {
  prepare: 'make the bucket ready',
  head: 'read an object’s head',
  read: 'read an object',
  put: 'write an object',
  copy: 'copy an object',
  remove: 'remove an object',
  list: 'list objects',
  createMultipart: 'begin an upload in parts',
  listParts: 'list the parts of an upload',
  completeMultipart: 'join the parts of an upload',
  abortMultipart: 'abort an upload',
  listMultipart: 'list unfinished uploads',
  listAll: 'list what the bucket holds',
} as const;

/** Codes for an object that is not there. */
export const absent = ['NotFound', 'NoSuchKey', 'NoSuchVersion', '404'];

export function openBucketRequests(options: BucketRequestsOptions): BucketRequests {
  const { settings, limits, guard } = options;
  const quick = { totalMs: limits.bucketTotalMs, retries: limits.bucketRetries };
  let loading: Promise<Loaded> | undefined;

  function load(): Promise<Loaded> {
    loading ??= import('@aws-sdk/client-s3').then((sdk) => ({
      sdk,
      client: openClient(sdk, options, { silenceMs: limits.bucketTimeoutMs }),
      patient: openClient(sdk, options, { silenceMs: limits.bucketWorkMs }),
      lasting: openClient(sdk, options, {
        // A reader that is slow, and not too slow, lets the connection rest.
        silenceMs: Math.max(limits.bucketTimeoutMs, limits.archiveSlowMs * 2),
        maxSockets: limits.archiveConcurrency,
      }),
    }));
    return loading;
  }

  return {
    bucket: settings.bucket,

    ask: async (what, request, { missing = [], allowance = quick, caller } = {}) => {
      const loaded = await load();
      try {
        return await guard.run(what, allowance, (abortSignal) => request(loaded, { abortSignal }), caller);
      } catch (error) {
        if (missing.includes(errorCode(error))) return undefined;
        throw isFilesError(error) ? error : unavailable(what, error);
      }
    },

    close: () => {
      guard.close();
      void loading?.then(({ client, patient, lasting }) => {
        client.destroy();
        patient.destroy();
        lasting.destroy();
      });
    },
  };
}

export function unavailable(what: keyof typeof asked, cause: unknown): FilesError {
  return new FilesError('storage-unavailable', {
    detail: `The service could not ${asked[what]} at the object storage. Try again in a moment.`,
    retryAfterSeconds: 5,
    cause,
  });
}

/** Connections of one client; requests beyond that wait for one. */
const usualSockets = 50;

/** No checksums but those that are asked for: Ceph answers them with 411, or stores their framing as data. */
function openClient(
  sdk: S3Module,
  { settings, limits, traceHeaders, clock, storageClock }: BucketRequestsOptions,
  { silenceMs, maxSockets = usualSockets }: { readonly silenceMs: number; readonly maxSockets?: number },
): S3Client {
  const client = new sdk.S3Client({
    endpoint: settings.endpoint,
    region: settings.region,
    // Read when they are needed: keys of a role end, and are others then.
    credentials: async () => ({ ...settings.credentials }),
    forcePathStyle: settings.forcePathStyle,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // The guard tries again, out of a budget and in sight of the circuit.
    maxAttempts: 1,
    // A gateway whose disks are gone never answers; without these the request would wait for ever.
    requestHandler: {
      connectionTimeout: limits.bucketConnectTimeoutMs,
      requestTimeout: silenceMs,
      throwOnRequestTimeout: true,
      socketTimeout: silenceMs,
      httpAgent: { maxSockets, keepAlive: true },
      httpsAgent: { maxSockets, keepAlive: true },
    },
  });
  client.middlewareStack.add(
    (next) => async (args) => {
      const { request } = args;
      // The SDK says `unknown` here, and of the answer, for the sake of other protocols.
      if (typeof request === 'object' && request !== null && 'headers' in request) {
        Object.assign(request.headers as object, traceHeaders());
      }
      const sentAtMs = clock();
      const answer = await next(args);
      const { statusCode: status, headers } = answer.response as HttpHead;
      storageClock.answered({ date: headers.date, age: headers.age, status, sentAtMs, receivedAtMs: clock() });
      return answer;
    },
    // After signing: whoever stands between may change them. Before the answer is read, so that refusals are seen too.
    { step: 'deserialize', priority: 'low', name: 'stowageTrace' },
  );
  return client;
}
