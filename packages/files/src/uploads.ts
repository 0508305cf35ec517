// Upload sessions: made, signed, completed, given up. The row is committed before anything is signed (design §6, invariant 3),
// and no byte of a file passes through here.

import { createHash } from 'node:crypto';
import type {
  CreateUploadRequest,
  SignedPart,
  SignedRequest,
  Upload,
  UploadedPart,
  UploadList,
} from '@stowage/contract';
import type { Bucket } from './bucket/bucket.ts';
import type { UrlSigner } from './bucket/sign-urls.ts';
import type { Account, FileTable } from './database/database.ts';
import type { FileKeys } from './file-key.ts';
import { type FileRecord, isoDate } from './file-record.ts';
import { FilesError } from './files-error.ts';
import type { FilesLimits } from './limits.ts';
import { readPlace, writePlace } from './list-cursor.ts';
import { type FileMover, maxMoveAttempts } from './move-file.ts';
import { partSize, planParts } from './part-plan.ts';
import { isUploading, reconcile } from './reconcile.ts';

export interface Uploads {
  create(account: Account, request: CreateUploadRequest, idempotencyKey?: string): Promise<Upload>;
  list(tenantId: string, query: { readonly cursor?: string; readonly limit?: number }): Promise<UploadList>;
  /** The upload as the row has it; with a fresh request where one PUT is still to be sent. */
  get(tenantId: string, id: string): Promise<Upload>;
  listParts(tenantId: string, id: string): Promise<readonly UploadedPart[]>;
  signParts(tenantId: string, id: string, partNumbers: readonly number[]): Promise<readonly SignedPart[]>;
  /** Safe to repeat, also at the same time. */
  complete(tenantId: string, id: string): Promise<Upload>;
  /** Joins the parts if the bucket holds them all; answers the row as it is then. For the service's own work. */
  finish(file: FileRecord): Promise<FileRecord>;
  abort(tenantId: string, id: string): Promise<void>;
}

export interface UploadsOptions {
  readonly bucket: Bucket;
  readonly files: FileTable;
  readonly mover: FileMover;
  readonly signer: UrlSigner;
  readonly keys: FileKeys;
  readonly limits: FilesLimits;
  readonly clock: () => number;
  readonly newId: () => string;
}

const defaultPageSize = 50;

export function openUploads(options: UploadsOptions): Uploads {
  const { bucket, files, mover, signer, limits, clock } = options;

  async function find(tenantId: string, id: string): Promise<FileRecord> {
    const file = await files.get(tenantId, id);
    if (file === undefined) throw new FilesError('not-found', { detail: `There is no upload ${id}.` });
    return file;
  }

  /** The id of the bucket's own upload, begun now if the row has none yet. */
  async function ensureMultipart(file: FileRecord): Promise<FileRecord> {
    if (file.strategy !== 'multipart' || file.multipartUploadId !== null || file.state !== 'pending') return file;
    const multipartUploadId = await bucket.createMultipart(file.objectKey, file.declaredType);
    const changed = await files.change(file, { multipartUploadId, updatedAtMs: clock() });
    if (changed !== undefined) return changed;
    // Another request was faster, or the upload was given up: theirs counts, and this one is not needed.
    await bucket.abortMultipart(file.objectKey, multipartUploadId);
    return (await files.find(file.id)) ?? file;
  }

  /** Notes until when URLs are good, before they are made. Half as many writes as URLs' lives pass. */
  async function reserveSigning(file: FileRecord, untilMs: number): Promise<FileRecord> {
    let current = file;
    for (let attempt = 0; attempt < maxMoveAttempts; attempt++) {
      if (current.signedUntilMs >= untilMs || !isUploading(current)) return current;
      const changed = await files.change(current, { signedUntilMs: untilMs + limits.urlLifeMs });
      if (changed !== undefined) return changed;
      current = (await files.find(file.id)) ?? current;
    }
    throw new FilesError('wrong-state', {
      detail: 'The upload is changing too fast; try again.',
      retryAfterSeconds: 1,
    });
  }

  /** How long a URL for this upload may live; 0 when the upload's time is over. */
  function lifeMs(file: FileRecord): number {
    return Math.max(0, Math.min(limits.urlLifeMs, file.uploadExpiresAtMs - clock()));
  }

  async function render(given: FileRecord): Promise<Upload> {
    let file = given;
    let request: SignedRequest | undefined;
    if (file.strategy === 'put' && file.state === 'pending' && lifeMs(file) > 0) {
      file = await reserveSigning(file, clock() + lifeMs(file));
      const { objectKey: key, declaredType: contentType, sizeBytes } = file;
      if (file.state === 'pending') request = signer.signPut({ key, contentType, sizeBytes, lifeMs: lifeMs(file) });
    }
    return uploadOf(file, request);
  }

  /** One try to join: parts checked, the bucket asked, and its HEAD believed. */
  async function join(file: FileRecord): Promise<FileRecord> {
    const uploadId = file.multipartUploadId;
    const parts = uploadId === null ? [] : await bucket.listParts(file.objectKey, uploadId);
    if (uploadId === null || parts === undefined || file.state === 'completing') return reconcile(file, options);
    checkParts(file, parts);
    const joining = await mover.move(file, { kind: 'join-started' });
    if (joining === undefined) return (await files.find(file.id)) ?? file;
    let failure: unknown;
    try {
      await bucket.completeMultipart(file.objectKey, uploadId, parts);
    } catch (error) {
      // A lost reply, a twin that was faster, a real refusal: the object itself tells.
      failure = error;
    }
    const settled = await reconcile(joining, options);
    if (isUploading(settled) && failure !== undefined) throw failure;
    return settled;
  }

  async function finish(file: FileRecord): Promise<FileRecord> {
    let current = file;
    for (let attempt = 0; attempt < maxMoveAttempts && isUploading(current); attempt++) {
      if (current.strategy === 'put') {
        const settled = await reconcile(current, options);
        if (isUploading(settled))
          throw missing('The bucket does not hold the bytes yet. Send them, then complete again.');
        return settled;
      }
      current = await join(current);
    }
    if (isUploading(current)) {
      throw new FilesError('storage-unavailable', {
        detail: 'The bucket did not join the parts. Complete again.',
        retryAfterSeconds: 1,
      });
    }
    return current;
  }

  return {
    create: async (account, request, idempotencyKey) => {
      const file = recordOf(account, request, options);
      const added = await files.add(
        file,
        idempotencyKey === undefined
          ? undefined
          : {
              key: idempotencyKey,
              requestHash: createHash('sha256').update(JSON.stringify(request)).digest('hex'),
              expiresAtMs: file.createdAtMs + limits.idempotencyLifeMs,
            },
      );
      // The row comes first: whatever fails from here on, the row's review finds and ends.
      await bucket.prepare();
      return render(await ensureMultipart(added));
    },

    list: async (tenantId, { cursor, limit = defaultPageSize }) => {
      const rows = await files.list({
        tenantId,
        shelf: 'uploads',
        sort: 'createdAt',
        descending: true,
        limit: limit + 1,
        after: cursor === undefined ? undefined : readPlace(cursor, '-createdAt'),
      });
      const page = rows.slice(0, limit);
      const last = page.at(-1);
      const more = rows.length > limit && last !== undefined;
      return {
        uploads: page.map((file) => uploadOf(file)),
        ...(more ? { nextCursor: writePlace(files.placeOf(last, 'createdAt'), '-createdAt') } : {}),
      };
    },

    get: async (tenantId, id) => render(await find(tenantId, id)),

    listParts: async (tenantId, id) => {
      const file = await find(tenantId, id);
      if (file.strategy !== 'multipart' || !isUploading(file)) throw wrongState(file, 'list the parts of');
      if (file.multipartUploadId === null) return [];
      const parts = await bucket.listParts(file.objectKey, file.multipartUploadId);
      if (parts !== undefined) {
        if (file.state === 'pending' && parts.length > 0) await mover.move(file, { kind: 'parts-seen' });
        return parts;
      }
      throw wrongState(await reconcile(file, options), 'list the parts of');
    },

    signParts: async (tenantId, id, partNumbers) => {
      let file = await find(tenantId, id);
      if (file.strategy !== 'multipart' || file.partSizeBytes === null) throw wrongState(file, 'sign parts of');
      file = await ensureMultipart(file);
      const { partCount, partSizeBytes, multipartUploadId: uploadId } = file;
      const ends = lifeMs(file);
      if ((file.state !== 'pending' && file.state !== 'uploading') || uploadId === null || ends === 0) {
        throw wrongState(file, 'sign parts of');
      }
      const beyond = partNumbers.filter((partNumber) => partCount === null || partNumber > partCount);
      if (beyond.length > 0 || partSizeBytes === null) {
        throw new FilesError('invalid-request', {
          detail: `The upload has ${partCount} parts; part ${beyond.join(', ')} was asked for.`,
        });
      }
      await reserveSigning(file, clock() + ends);
      return [...new Set(partNumbers)].map((partNumber) =>
        signer.signPart({
          key: file.objectKey,
          uploadId,
          partNumber,
          sizeBytes: partSize(file.sizeBytes, partSizeBytes, partNumber),
          lifeMs: ends,
        }),
      );
    },

    complete: async (tenantId, id) => {
      const file = await finish(await find(tenantId, id));
      if (['aborted', 'expired', 'purging', 'purged'].includes(file.state)) throw wrongState(file, 'complete');
      return uploadOf(file);
    },

    finish,

    abort: async (tenantId, id) => {
      let file = await find(tenantId, id);
      for (let attempt = 0; attempt < maxMoveAttempts; attempt++) {
        if (['aborted', 'expired', 'purging', 'purged'].includes(file.state)) return;
        if (!isUploading(file)) throw wrongState(file, 'give up');
        if ((await mover.move(file, { kind: 'aborted', reason: null })) !== undefined) return;
        file = await find(tenantId, id);
      }
      throw wrongState(file, 'give up');
    },
  };
}

function recordOf(account: Account, request: CreateUploadRequest, options: UploadsOptions): FileRecord {
  const { limits, keys } = options;
  const { name, sizeBytes, folder = [] } = request;
  if (sizeBytes > limits.maxFileSizeBytes) {
    throw new FilesError('file-too-large', {
      detail: `The file has ${sizeBytes} bytes; at most ${limits.maxFileSizeBytes} are taken.`,
    });
  }
  if ([name, ...folder].some((part) => part.includes('\0'))) {
    throw new FilesError('invalid-request', { detail: 'A name holds a NUL character. Take it out.' });
  }
  const nowMs = options.clock();
  const id = options.newId();
  const { tenantId, userId } = account;
  const declaredType = declaredTypeOf(request.contentType);
  const uploadExpiresAtMs = nowMs + limits.uploadLifeMs;
  return {
    id,
    tenantId,
    userId,
    name: name.toWellFormed(),
    folder: folder.map((part) => part.toWellFormed()),
    declaredType,
    contentType: declaredType,
    sizeBytes,
    state: 'pending',
    fence: 1,
    reason: null,
    ...planParts(sizeBytes, limits),
    objectKey: keys.make({ tenantId, userId, contentType: declaredType, fileId: id }),
    multipartUploadId: null,
    objectEtag: null,
    objectVersionId: null,
    checksumAlgorithm: null,
    checksumValue: null,
    scanPolicy: null,
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
  };
}

/** RFC 9110 §8.3.1, without parameters: the type goes into a signature and must come back byte for byte. */
function declaredTypeOf(claim: string | undefined): string {
  const [type = ''] = (claim ?? '').split(';');
  const trimmed = type.trim().toLowerCase();
  return /^[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+$/.test(trimmed) ? trimmed : 'application/octet-stream';
}

function checkParts(file: FileRecord, parts: readonly UploadedPart[]): void {
  const { partCount, partSizeBytes } = file;
  if (partCount === null || partSizeBytes === null) throw new Error(`File ${file.id} has parts and no plan of them.`);
  const sizes = new Map(parts.map(({ partNumber, sizeBytes }) => [partNumber, sizeBytes]));
  const wrong: number[] = [];
  for (let partNumber = 1; partNumber <= partCount; partNumber++) {
    if (sizes.get(partNumber) !== partSize(file.sizeBytes, partSizeBytes, partNumber)) wrong.push(partNumber);
  }
  if (wrong.length === 0) return;
  const named = wrong.slice(0, 20).join(', ');
  throw missing(
    `${wrong.length} of ${partCount} parts are missing or have a wrong size: ${named}${wrong.length > 20 ? ', …' : ''}. Send them, then complete again.`,
  );
}

function missing(detail: string): FilesError {
  return new FilesError('parts-missing', { detail });
}

function wrongState(file: FileRecord, what: string): FilesError {
  const why = file.reason === null ? '' : ` ${file.reason}`;
  return new FilesError('wrong-state', {
    detail: `One cannot ${what} an upload of strategy ${file.strategy} that is ${file.state}.${why}`,
  });
}

function uploadOf(file: FileRecord, request?: SignedRequest): Upload {
  return {
    id: file.id,
    name: file.name,
    folder: file.folder,
    sizeBytes: file.sizeBytes,
    contentType: file.contentType,
    state: file.state,
    ...(file.reason === null ? {} : { reason: file.reason }),
    strategy: file.strategy,
    ...(file.partSizeBytes === null ? {} : { partSizeBytes: file.partSizeBytes }),
    ...(file.partCount === null ? {} : { partCount: file.partCount }),
    createdAt: isoDate(file.createdAtMs),
    expiresAt: isoDate(file.uploadExpiresAtMs),
    ...(request === undefined ? {} : { request }),
  };
}
