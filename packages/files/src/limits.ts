// Every limit of the file service, in one place, with its default. Units are the last word of a name.

const kib = 1024;
const mib = 1024 * kib;
const gib = 1024 * mib;
const secondMs = 1000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

export interface FilesLimits {
  /** Largest file taken. Default and ceiling 5 TB (5 × 10¹² bytes). */
  readonly maxFileSizeBytes: number;
  /** Files larger than this are sent in parts. Default 16 MiB; at most 5 GiB, the most that one PUT may carry. */
  readonly multipartThresholdBytes: number;
  /** Smallest part; larger ones are chosen where 10,000 of these would not do. Default 8 MiB; at least 5 MiB. */
  readonly minPartSizeBytes: number;
  /** How long a signed URL is good. Default 15 minutes. */
  readonly urlLifeMs: number;
  /** When an upload that did not come to an end is given up. Default 24 hours. */
  readonly uploadLifeMs: number;
  /** How long after that a completion that the bucket refuses or does not answer is tried. Default 24 hours. */
  readonly completionGraceMs: number;
  /** How long a file stays in one working state before the service looks at the bucket itself. Default 10 minutes. */
  readonly reviewIntervalMs: number;
  /** How long trash is kept. Default 30 days. */
  readonly trashRetentionMs: number;
  /** How long the bytes of a refused file are kept. Default 7 days. */
  readonly rejectedRetentionMs: number;
  /** How long a sign-in link is good. Default 1 hour. */
  readonly signInLinkLifeMs: number;
  /** How long a link is good by which somebody is invited. Default 7 days. */
  readonly invitationLifeMs: number;
  /** How long a session lasts. Default 14 days. */
  readonly sessionLifeMs: number;
  /** How long an Idempotency-Key is remembered. Default 24 hours. */
  readonly idempotencyLifeMs: number;
  /** Largest request body that the service itself takes. Default 1 MiB. */
  readonly maxRequestBodyBytes: number;
  /** Requests a second of one session, key or address, on average. Default 100. */
  readonly requestsPerSecond: number;
  /** Requests that may come at once above the average. Default 1,000. */
  readonly requestBurst: number;
  /** Tries to sign in a minute from one address. Default 20. */
  readonly signInsPerMinute: number;
  /** Tries of a password or code a minute for one account, from everywhere together. Default 10. */
  readonly passwordTriesPerMinute: number;
  /** Requests a second for public pages from one address, on average. Default 50. */
  readonly pagesPerSecond: number;
  /** Requests for public pages that may come at once above the average. Default 500. */
  readonly pageBurst: number;
  /** Groups of one tenant. Default 1,000. */
  readonly maxGroups: number;
  /** Grants on folders of one tenant. Default 10,000. */
  readonly maxGrants: number;
  /** API keys of one tenant. Default 100. */
  readonly maxApiKeys: number;
  /** Requests that wait for a change of state at the same time; further ones are answered at once. Default 1,000. */
  readonly maxWaiting: number;
  /** Most pixels that the header of an image may speak of. Default 1,000 million; previews have a limit of their own. */
  readonly imagePixels: number;
  /** Entries of a ZIP archive that is uploaded. Default 200,000. */
  readonly zipEntries: number;
  /** Bytes of its directory: what of it is read. Default 32 MiB. */
  readonly zipDirectoryBytes: number;
  /** Bytes that its entries may come to when they are unpacked. Default 1 TiB. */
  readonly zipUnpackedBytes: number;
  /** How many times its own size that may be. Default 200. */
  readonly zipRatio: number;
  /** From how many unpacked bytes on that is asked: a small bomb is none. Default 100 MiB. */
  readonly zipRatioFromBytes: number;
  /** How many times its packed size an archive in the archive may have. Default 8: what is packed twice does not shrink again. */
  readonly zipNestedRatio: number;
  /** Largest image of which a preview is made. Default 100 MiB. */
  readonly previewSourceBytes: number;
  /** Most pixels of an image of which a preview is made. Default 100 million. */
  readonly previewPixels: number;
  /** Longest time for one preview. Default 20 seconds. */
  readonly previewTimeMs: number;
  /** Memory at which the process that makes previews is ended. Default 768 MiB. */
  readonly previewMemoryBytes: number;
  /** Longest wait for the first byte of any answer of the bucket, and longest silence after it. Default 30 seconds. */
  readonly bucketTimeoutMs: number;
  /** Longest time of one request to the bucket with all its retries, bodies not counted. Default 60 seconds. */
  readonly bucketTotalMs: number;
  /** Longest time for the bucket to join parts or to copy. Default 10 minutes. */
  readonly bucketWorkMs: number;
  /** Tries of a request to the bucket after the first, where a second one does no harm. Default 2. */
  readonly bucketRetries: number;
  /** Failures in a row after which the bucket is not asked for a while. Default 10. */
  readonly circuitFailures: number;
  /** How long it is not asked then; doubled as long as that does not help, up to a minute. Default 5 seconds. */
  readonly circuitOpenMs: number;
  /** Largest object that is copied by one request; larger ones are copied in parts. Default 5 GiB, the most that S3 takes. */
  readonly maxCopyBytes: number;
  /** Largest file whose bytes are copied while a client waits for its completion; larger ones by a job. Default 64 MiB. */
  readonly maxInlineCopyBytes: number;
  /** Bytes of each part of such a copy. Default 512 MiB; at least 5 MiB. */
  readonly copyPartBytes: number;
  /** How long what was found of an endpoint is relied on before it is tried again. Default 7 days. */
  readonly profileLifeMs: number;
  /** Longest wait for a connection to the bucket. Default 5 seconds. */
  readonly bucketConnectTimeoutMs: number;
  /** How long a file of a policy `when-available` waits for a scanner that is away. Default 1 hour. */
  readonly scanHoldMs: number;
  /**
   * Largest file that is given to the scanner. Neither clamd's `StreamMaxLength` nor its `MaxFileSize` and `MaxScanSize` may be smaller:
   * of what is larger than these two it says `OK` and has looked at nothing. Default 100 MB, less than their own default of 100 MiB.
   */
  readonly scanMaxBytes: number;
  /** Files in one ZIP archive, and on one page of a share. Default 10,000. */
  readonly maxArchiveFiles: number;
  /** ZIP archives that are sent at the same time; who asks for another is told to come back. Default 32. */
  readonly archiveConcurrency: number;
  /** ZIP archives of one tenant that are sent at the same time, to its own people and by its shares, of which one has half at most. Default 16. */
  readonly tenantArchiveConcurrency: number;
  /** Who reads a ZIP archive more slowly than this, over `archiveSlowMs`, is cut off. Default 8 KiB a second. */
  readonly archiveMinBytesPerSecond: number;
  /** For how long the reader of a ZIP archive may be too slow. Default 30 seconds. */
  readonly archiveSlowMs: number;
  /** How long the right password opens a share. Default 1 hour. */
  readonly sharePasswordLifeMs: number;
  /** Passwords tried a minute for one share, by everybody together. Default 20. */
  readonly sharePasswordsPerMinute: number;
  /** Webhooks of one tenant. Default 20. */
  readonly maxWebhooks: number;
  /** Deliveries sent at the same time, of which one tenant has half at most. Default 32. */
  readonly webhookConcurrency: number;
  /** Deliveries sent to one host at the same time: one that does not answer holds no more places. Default 4. */
  readonly webhookReceiverConcurrency: number;
  /** Longest wait for the answer to a webhook. Default 15 seconds. */
  readonly webhookTimeoutMs: number;
  /** How long deliveries that came to an end are kept, to be looked at and replayed. Default 30 days. */
  readonly webhookHistoryMs: number;
  /** Objects and unfinished uploads younger than this are never taken for orphans. Default 7 days. */
  readonly orphanGraceMs: number;
  /** How often a file whose bytes are missing is looked after. Default 1 hour. */
  readonly missingReviewMs: number;
  /** Changes that one comparison of bucket and database makes unless told otherwise: more is a mistake. Default 10,000. */
  readonly reconcileChanges: number;
  /** What of the bucket has no row, and may be removed by one comparison, in percent of all rows. Default 1: more is a mistake. */
  readonly reconcileRowlessPercent: number;
  /** Findings of each kind that a comparison keeps one by one when it does nothing about them. Default 1,000. */
  readonly reconcileFindings: number;
  /** Comparisons whose reports are kept. Default 100. */
  readonly reconcileRuns: number;
  /**
   * So long after it was last heard of, another instance may take over a job or review that was begun. Leases are renewed while work goes
   * on, so it need not be as long as the longest job. Default 10 minutes.
   */
  readonly jobLeaseMs: number;
  /** Jobs done at the same time, of which one tenant has half at most, and as many reviews. Previews come beside them. Default 8. */
  readonly jobConcurrency: number;
}

export const defaultLimits: FilesLimits = {
  maxFileSizeBytes: 5_000_000_000_000,
  multipartThresholdBytes: 16 * mib,
  minPartSizeBytes: 8 * mib,
  urlLifeMs: 15 * minuteMs,
  uploadLifeMs: dayMs,
  completionGraceMs: dayMs,
  reviewIntervalMs: 10 * minuteMs,
  trashRetentionMs: 30 * dayMs,
  rejectedRetentionMs: 7 * dayMs,
  signInLinkLifeMs: hourMs,
  invitationLifeMs: 7 * dayMs,
  sessionLifeMs: 14 * dayMs,
  idempotencyLifeMs: dayMs,
  maxRequestBodyBytes: mib,
  requestsPerSecond: 100,
  requestBurst: 1_000,
  signInsPerMinute: 20,
  passwordTriesPerMinute: 10,
  pagesPerSecond: 50,
  pageBurst: 500,
  maxGroups: 1_000,
  maxGrants: 10_000,
  maxApiKeys: 100,
  maxWaiting: 1_000,
  imagePixels: 1_000_000_000,
  zipEntries: 200_000,
  zipDirectoryBytes: 32 * mib,
  zipUnpackedBytes: 1024 * gib,
  zipRatio: 200,
  zipRatioFromBytes: 100 * mib,
  zipNestedRatio: 8,
  previewSourceBytes: 100 * mib,
  previewPixels: 100_000_000,
  previewTimeMs: 20 * secondMs,
  previewMemoryBytes: 768 * mib,
  bucketTimeoutMs: 30 * secondMs,
  bucketTotalMs: 60 * secondMs,
  bucketWorkMs: 10 * minuteMs,
  bucketRetries: 2,
  circuitFailures: 10,
  circuitOpenMs: 5 * secondMs,
  maxCopyBytes: 5 * gib,
  maxInlineCopyBytes: 64 * mib,
  copyPartBytes: 512 * mib,
  profileLifeMs: 7 * dayMs,
  bucketConnectTimeoutMs: 5 * secondMs,
  scanHoldMs: hourMs,
  scanMaxBytes: 100_000_000,
  maxArchiveFiles: 10_000,
  archiveConcurrency: 32,
  tenantArchiveConcurrency: 16,
  archiveMinBytesPerSecond: 8 * kib,
  archiveSlowMs: 30 * secondMs,
  sharePasswordLifeMs: hourMs,
  sharePasswordsPerMinute: 20,
  maxWebhooks: 20,
  webhookConcurrency: 32,
  webhookReceiverConcurrency: 4,
  webhookTimeoutMs: 15 * secondMs,
  webhookHistoryMs: 30 * dayMs,
  orphanGraceMs: 7 * dayMs,
  missingReviewMs: hourMs,
  reconcileChanges: 10_000,
  reconcileRowlessPercent: 1,
  reconcileFindings: 1_000,
  reconcileRuns: 100,
  jobLeaseMs: 10 * minuteMs,
  jobConcurrency: 8,
};

type Range = readonly [min: number, max: number];

const atLeastNone: Range = [0, Number.MAX_SAFE_INTEGER];
const atLeastOne: Range = [1, Number.MAX_SAFE_INTEGER];
/** What is done at the same time: by none nothing would ever be done. */
const aFew: Range = [1, 1_000];
const aLife: Range = [secondMs, Number.MAX_SAFE_INTEGER];
/** What a timer waits for: one that is asked to wait longer than it can fires at once. */
const aWait: Range = [1, dayMs];

/** Ranges outside of which a limit makes no sense: S3's own, or arithmetic's. */
const allowed: Readonly<Record<keyof FilesLimits, Range>> = {
  maxFileSizeBytes: [0, 5_000_000_000_000],
  multipartThresholdBytes: [0, 5 * gib],
  minPartSizeBytes: [5 * mib, 5 * gib],
  urlLifeMs: [secondMs, 7 * dayMs],
  uploadLifeMs: aLife,
  completionGraceMs: atLeastNone,
  reviewIntervalMs: aLife,
  trashRetentionMs: atLeastNone,
  rejectedRetentionMs: atLeastNone,
  signInLinkLifeMs: aLife,
  invitationLifeMs: aLife,
  sessionLifeMs: aLife,
  idempotencyLifeMs: aLife,
  maxRequestBodyBytes: [kib, gib],
  requestsPerSecond: atLeastOne,
  requestBurst: atLeastOne,
  signInsPerMinute: atLeastOne,
  passwordTriesPerMinute: atLeastOne,
  pagesPerSecond: atLeastOne,
  pageBurst: atLeastOne,
  maxGroups: atLeastNone,
  maxGrants: atLeastNone,
  maxApiKeys: atLeastNone,
  maxWaiting: atLeastNone,
  imagePixels: atLeastOne,
  zipEntries: atLeastOne,
  zipDirectoryBytes: [kib, gib],
  zipUnpackedBytes: atLeastOne,
  zipRatio: atLeastOne,
  zipRatioFromBytes: atLeastNone,
  zipNestedRatio: atLeastOne,
  previewSourceBytes: atLeastNone,
  previewPixels: atLeastNone,
  previewTimeMs: aWait,
  previewMemoryBytes: [16 * mib, Number.MAX_SAFE_INTEGER],
  bucketTimeoutMs: aWait,
  bucketTotalMs: aWait,
  bucketWorkMs: aWait,
  bucketRetries: [0, 10],
  circuitFailures: atLeastOne,
  circuitOpenMs: aWait,
  maxCopyBytes: [1, 5 * gib],
  maxInlineCopyBytes: atLeastNone,
  copyPartBytes: [5 * mib, 5 * gib],
  profileLifeMs: aLife,
  bucketConnectTimeoutMs: aWait,
  scanHoldMs: atLeastNone,
  scanMaxBytes: atLeastNone,
  maxArchiveFiles: [1, 1_000_000],
  archiveConcurrency: aFew,
  tenantArchiveConcurrency: aFew,
  archiveMinBytesPerSecond: atLeastOne,
  archiveSlowMs: aWait,
  sharePasswordLifeMs: aLife,
  sharePasswordsPerMinute: atLeastOne,
  maxWebhooks: atLeastNone,
  webhookConcurrency: aFew,
  webhookReceiverConcurrency: aFew,
  webhookTimeoutMs: aWait,
  webhookHistoryMs: atLeastNone,
  orphanGraceMs: atLeastNone,
  missingReviewMs: aLife,
  reconcileChanges: atLeastNone,
  reconcileRowlessPercent: [0, 1_000_000],
  reconcileFindings: atLeastNone,
  reconcileRuns: [1, 10_000],
  jobLeaseMs: aLife,
  jobConcurrency: aFew,
};

/** Limits of which the first must not be larger than the second, and what would come of it. */
const ordered: readonly (readonly [keyof FilesLimits, keyof FilesLimits, string])[] = [
  ['urlLifeMs', 'uploadLifeMs', 'an upload would be given up while its URL can still write'],
  ['bucketTimeoutMs', 'bucketTotalMs', 'a request would be given up before it was waited for'],
  ['webhookReceiverConcurrency', 'webhookConcurrency', 'one receiver would be promised more than there is'],
  ['tenantArchiveConcurrency', 'archiveConcurrency', 'one tenant would be promised more than there is'],
];

/** The defaults with the given ones put over them. Throws a `RangeError` that names a limit out of range, or two that do not go together. */
export function chooseLimits(given: Partial<FilesLimits> = {}): FilesLimits {
  const limits: FilesLimits = { ...defaultLimits, ...given };
  // Object.keys of a value of a closed interface gives that interface's keys.
  for (const name of Object.keys(limits) as (keyof FilesLimits)[]) {
    const [min, max] = allowed[name];
    const value = limits[name];
    if (!Number.isSafeInteger(value) || value < min || value > max) {
      throw new RangeError(`The limit ${name} is ${value}; it must be a whole number from ${min} to ${max}.`);
    }
  }
  for (const [less, more, why] of ordered) {
    if (limits[less] <= limits[more]) continue;
    throw new RangeError(
      `The limit ${less} is ${limits[less]} and ${more} is ${limits[more]}: ${why}. Make ${less} at most ${more}.`,
    );
  }
  return limits;
}
