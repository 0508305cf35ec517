// The row of a file that was just announced: what was asked for is checked, and how it will be sent is decided.

import { type CreateUploadRequest, uploadMeans } from '@stowage/contract';
import type { FoundCapabilities } from '../bucket/capabilities.ts';
import type { Account } from '../database/account-tables.ts';
import type { FileKeys } from '../file-key.ts';
import type { FileRecord, Seal } from '../file-record.ts';
import { FilesError } from '../files-error.ts';
import type { FilesLimits } from '../limits.ts';
import { type Policies, requireAllowed } from '../policies.ts';
import { requireName } from '../tree/required-name.ts';
import { defaultAccepts, planUpload } from './part-plan.ts';

interface NewUploadOptions {
  /** What the endpoint was proven to do. */
  readonly found: FoundCapabilities;
  /** The seals that may be used. Default: all. */
  readonly seals: readonly Seal[] | undefined;
  readonly keys: FileKeys;
  readonly policies: Policies;
  readonly limits: FilesLimits;
  readonly clock: () => number;
  readonly newId: () => string;
}

/** What the request means once it was looked up. */
interface UploadPlace {
  readonly folderId: string;
  /** The file that it is to be a version of, by its current version. */
  readonly versionOf: FileRecord | undefined;
}

/** Throws `file-too-large`, `type-not-allowed` or `invalid-request`, and `storage-unavailable` when the endpoint can seal nothing. */
export function newUpload(
  account: Account,
  request: CreateUploadRequest,
  { folderId, versionOf }: UploadPlace,
  options: NewUploadOptions,
): FileRecord {
  const { limits, policies, found, seals } = options;
  const { sizeBytes, accepts = defaultAccepts } = request;
  const policy = versionOf === undefined ? policies.choose(request.category) : policies.of(versionOf.category);
  const { strategies: allowed = uploadMeans } = policy;
  const row = newRow(account, request, { folderId, versionOf }, options);
  return row({ ...planUpload({ sizeBytes, accepts, allowed, found, seals }, limits), copiedFrom: null });
}

type SendingPlan = Pick<FileRecord, 'strategy' | 'sealedBy' | 'partSizeBytes' | 'partCount' | 'copiedFrom'>;

/** Checks the request; what is answered makes the row once it is known how the bytes will come. */
function newRow(
  account: Account,
  request: CreateUploadRequest,
  { folderId, versionOf }: UploadPlace,
  options: NewUploadOptions,
): (plan: SendingPlan) => FileRecord {
  const { limits, keys, policies } = options;
  const { name, sizeBytes } = request;
  if (sizeBytes > limits.maxFileSizeBytes) {
    throw new FilesError('file-too-large', {
      detail: `The file has ${sizeBytes} bytes; at most ${limits.maxFileSizeBytes} are taken.`,
    });
  }
  requireName(name);
  const declaredType = declaredTypeOf(request.contentType);
  const policy = versionOf === undefined ? policies.choose(request.category) : policies.of(versionOf.category);
  requireAllowed(policy, request, declaredType);
  const nowMs = options.clock();
  const id = options.newId();
  const { tenantId, userId } = account;
  const uploadExpiresAtMs = nowMs + limits.uploadLifeMs;
  const place = { tenantId, userId, contentType: declaredType, fileId: id };
  return (plan) => ({
    id,
    lineId: versionOf?.lineId ?? id,
    role: versionOf === undefined ? 'current' : 'version',
    versionNumber: (versionOf?.versionNumber ?? 0) + 1,
    tenantId,
    userId,
    name: name.toWellFormed(),
    folderId,
    tags: [...new Set(request.tags ?? [])],
    metadata: request.metadata ?? {},
    category: policy.category,
    declaredType,
    contentType: declaredType,
    sizeBytes,
    state: 'pending',
    fence: 1,
    reason: null,
    ...plan,
    objectKey: keys.make(place),
    stagingKey: plan.sealedBy === 'promotion' ? keys.make({ ...place, zone: 'incoming' }) : null,
    multipartUploadId: null,
    objectEtag: null,
    objectVersionId: null,
    announcedAlgorithm: request.checksum?.algorithm ?? null,
    announcedValue: request.checksum?.value ?? null,
    checksumAlgorithm: null,
    checksumValue: null,
    scanPolicy: null,
    scanningSinceMs: null,
    contentMarks: [],
    excerpt: null,
    previews: [],
    width: null,
    height: null,
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
    modifiedAtMs: request.modifiedAt === undefined ? null : Date.parse(request.modifiedAt),
    uploadExpiresAtMs,
    // Twice the life of a URL, so that the first ones need no write of their own.
    signedUntilMs: nowMs + 2 * limits.urlLifeMs,
    reviewAtMs: Math.min(uploadExpiresAtMs, nowMs + limits.reviewIntervalMs),
    trashedAtMs: null,
    purgeAtMs: null,
    retainUntilMs: null,
    missingSinceMs: null,
  });
}

/** The row of a file whose bytes the bucket is to copy from another. Throws `file-too-large` when a limit was lowered since. */
export function newCopy(
  account: Account,
  source: FileRecord,
  { name, folderId, versionOf }: UploadPlace & { readonly name: string },
  options: NewUploadOptions,
): FileRecord {
  const { sizeBytes, contentType, tags, category } = source;
  const request = { name, sizeBytes, contentType, tags, category };
  const row = newRow(account, { ...request, metadata: source.metadata }, { folderId, versionOf }, options);
  const plan = { strategy: 'copy', sealedBy: 'service-only', partSizeBytes: null, partCount: null } as const;
  return { ...row({ ...plan, copiedFrom: source.id }), signedUntilMs: 0 };
}

/** RFC 9110 §8.3.1, without parameters: the type goes into a signature and must come back byte for byte. */
function declaredTypeOf(claim: string | undefined): string {
  const [type = ''] = (claim ?? '').split(';');
  const trimmed = type.trim().toLowerCase();
  return /^[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+$/.test(trimmed) ? trimmed : 'application/octet-stream';
}
