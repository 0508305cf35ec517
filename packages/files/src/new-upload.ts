// The row of a file that was just announced: what was asked for is checked, and how it will be sent is decided.

import type { CreateUploadRequest } from '@stowage/contract';
import type { Account } from './database/database.ts';
import type { FileKeys } from './file-key.ts';
import type { FileRecord } from './file-record.ts';
import { FilesError } from './files-error.ts';
import type { FilesLimits } from './limits.ts';
import { planParts } from './part-plan.ts';
import { type Policies, requireAllowed } from './policies.ts';

interface NewUploadOptions {
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

/** Throws `file-too-large`, `type-not-allowed` or `invalid-request`. */
export function newUpload(
  account: Account,
  request: CreateUploadRequest,
  { folderId, versionOf }: UploadPlace,
  options: NewUploadOptions,
): FileRecord {
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
  return {
    id,
    lineId: versionOf?.lineId ?? id,
    role: versionOf === undefined ? 'current' : 'version',
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
    ...planParts(sizeBytes, limits),
    objectKey: keys.make({ tenantId, userId, contentType: declaredType, fileId: id }),
    copiedFrom: null,
    stagingKey: null,
    sealedBy: 'if-none-match',
    multipartUploadId: null,
    objectEtag: null,
    objectVersionId: null,
    checksumAlgorithm: null,
    checksumValue: null,
    scanPolicy: null,
    scanningSinceMs: null,
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
  };
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
  const file = newUpload(account, { ...request, metadata: source.metadata }, { folderId, versionOf }, options);
  return { ...file, strategy: 'copy', partSizeBytes: null, partCount: null, copiedFrom: source.id, signedUntilMs: 0 };
}

/** Throws `invalid-request` for a name that no file or folder can have. */
export function requireName(name: string): void {
  if (name.includes('\0')) {
    throw new FilesError('invalid-request', { detail: 'A name holds a NUL character. Take it out.' });
  }
}

/** RFC 9110 §8.3.1, without parameters: the type goes into a signature and must come back byte for byte. */
function declaredTypeOf(claim: string | undefined): string {
  const [type = ''] = (claim ?? '').split(';');
  const trimmed = type.trim().toLowerCase();
  return /^[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+$/.test(trimmed) ? trimmed : 'application/octet-stream';
}
