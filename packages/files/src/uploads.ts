// Upload sessions: made, signed, completed, given up. The row is committed before anything is signed (design §6, invariant 3),
// and no byte of a file passes through here.

import { createHash } from 'node:crypto';
import {
  type AnnouncedAlgorithm,
  type CopyFileRequest,
  type CreateUploadRequest,
  isChecksum,
  type SignedPart,
  type SignedRequest,
  type SignPartsRequest,
  type Upload,
  type UploadedPart,
  type UploadList,
} from '@stowage/contract';
import { announcedOf, checksumHeader } from './announced-checksum.ts';
import type { Bucket } from './bucket/bucket.ts';
import type { FoundCapabilities } from './bucket/capabilities.ts';
import type { UrlSigner } from './bucket/sign-urls.ts';
import { completeUpload } from './complete-upload.ts';
import type { Account } from './database/account-tables.ts';
import type { FileTable, FolderTable } from './database/database.ts';
import type { FileKeys } from './file-key.ts';
import { arrivalKey, type FileRecord, isoDate, type Seal, shelfOf } from './file-record.ts';
import { FilesError, isFilesError } from './files-error.ts';
import { topFolderId } from './folder-record.ts';
import type { FilesLimits } from './limits.ts';
import { readPlace, writePlace } from './list-cursor.ts';
import { type FileMover, maxMoveAttempts } from './move-file.ts';
import { newCopy, newUpload, requireName } from './new-upload.ts';
import { partSize } from './part-plan.ts';
import type { Policies } from './policies.ts';
import { isUploading, reconcile } from './reconcile.ts';

export interface Uploads {
  create(account: Account, request: CreateUploadRequest, idempotencyKey?: string): Promise<Upload>;
  /** Several at once, in order; a refusal of one stands in its place. Throws only what is no refusal. */
  createAll(
    account: Account,
    requests: readonly CreateUploadRequest[],
    idempotencyKey?: string,
  ): Promise<readonly (Upload | FilesError)[]>;
  /** Makes a file of the bytes of another, which the bucket copies. Throws `not-found`, `wrong-state`, `name-taken`, `quota-exceeded`. */
  copy(account: Account, fileId: string, request: CopyFileRequest): Promise<Upload>;
  /** Those that one user began, or all. */
  list(
    tenantId: string,
    query: { readonly cursor?: string; readonly limit?: number },
    userId?: string,
  ): Promise<UploadList>;
  /** The upload as the row has it; with a fresh request where one PUT is still to be sent. */
  get(tenantId: string, id: string): Promise<Upload>;
  listParts(tenantId: string, id: string): Promise<readonly UploadedPart[]>;
  signParts(tenantId: string, id: string, request: SignPartsRequest): Promise<readonly SignedPart[]>;
  /** Safe to repeat, also at the same time. */
  complete(tenantId: string, id: string): Promise<Upload>;
  abort(tenantId: string, id: string): Promise<void>;
}

interface UploadsOptions {
  readonly bucket: Bucket;
  readonly files: FileTable;
  readonly folders: FolderTable;
  readonly mover: FileMover;
  readonly signer: UrlSigner;
  readonly keys: FileKeys;
  readonly policies: Policies;
  readonly limits: FilesLimits;
  readonly clock: () => number;
  readonly newId: () => string;
  /** What the endpoint was proven to do. Throws `storage-unavailable` when it cannot be asked, or does not suffice. */
  readonly capabilities: () => Promise<FoundCapabilities>;
  /** The seals that may be used. Default: all. */
  readonly seals: readonly Seal[] | undefined;
  /** Told that a job was written. */
  readonly onJob: () => void;
}

const defaultPageSize = 50;

/** Uploads of a batch that are made at the same time. */
const batchLanes = 8;

export function openUploads(given: UploadsOptions): Uploads {
  const options = { ...given, maxPromotedBytes: given.limits.maxInlineCopyBytes };
  const { bucket, files, folders, mover, signer, limits, clock, capabilities } = options;

  async function find(tenantId: string, id: string): Promise<FileRecord> {
    const file = await files.get({ tenantId, id });
    if (file === undefined) throw new FilesError('not-found', { detail: `There is no upload ${id}.` });
    return file;
  }

  /** The id of the bucket's own upload, begun now if the row has none yet. */
  async function ensureMultipart(file: FileRecord): Promise<FileRecord> {
    if (file.strategy !== 'multipart' || file.multipartUploadId !== null || file.state !== 'pending') return file;
    const checksum = file.announcedAlgorithm === null ? undefined : announcedOf(file, await capabilities());
    const key = arrivalKey(file);
    const multipartUploadId = await bucket.createMultipart(key, file.declaredType, checksum);
    const changed = await files.change(file, { multipartUploadId, updatedAtMs: clock() });
    if (changed !== undefined) return changed;
    // Another request was faster, or the upload was given up: theirs counts, and this one is not needed.
    await bucket.abortMultipart(key, multipartUploadId);
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
    if ((file.strategy === 'put' || file.strategy === 'form') && file.state === 'pending' && lifeMs(file) > 0) {
      file = await reserveSigning(file, clock() + lifeMs(file));
      if (file.state === 'pending') request = await signWhole(file);
    }
    return (await show([file], request))[0] ?? unreachable();
  }

  /** The one request that carries all bytes. */
  async function signWhole(file: FileRecord): Promise<SignedRequest> {
    const { declaredType: contentType, sizeBytes, sealedBy } = file;
    const write = { key: arrivalKey(file), contentType, sizeBytes, lifeMs: lifeMs(file) };
    if (file.strategy === 'form') return signer.signForm(write);
    const checksum =
      file.announcedValue === null ? undefined : checksumHeader(file, file.announcedValue, await capabilities());
    return signer.signPut({
      ...write,
      once: sealedBy === 'if-none-match',
      ...(checksum === undefined ? {} : { checksum }),
    });
  }

  async function show(shown: readonly FileRecord[], request?: SignedRequest): Promise<Upload[]> {
    const [{ tenantId } = { tenantId: '' }] = shown;
    const paths = await folders.paths(
      tenantId,
      shown.map(({ folderId }) => folderId),
    );
    return shown.map((file) => uploadOf(file, paths.get(file.folderId) ?? [], request));
  }

  /** Where a new upload goes. Throws `not-found` for a folder or file that is not there. */
  async function findPlace({ tenantId, userId }: Account, request: CreateUploadRequest) {
    const { folderId: parentId = topFolderId, folder: names = [], versionOf: fileId } = request;
    if (fileId !== undefined) {
      const versionOf = await files.current({ tenantId, id: fileId });
      if (versionOf?.state !== 'ready') {
        throw new FilesError('not-found', { detail: `There is no file ${fileId} that could have a new version.` });
      }
      return { folderId: versionOf.folderId, versionOf };
    }
    if (parentId !== topFolderId && (await folders.get({ tenantId, id: parentId })) === undefined) {
      throw new FilesError('not-found', { detail: `There is no folder ${parentId}.` });
    }
    for (const name of names) requireName(name);
    const path = names.map((name) => name.toWellFormed());
    const folderId = await folders.ensure({ tenantId, userId, parentId, names: path, nowMs: clock() });
    if (request.onConflict !== 'replace') return { folderId, versionOf: undefined };
    const there = await files.named({ tenantId, folderId, name: request.name.toWellFormed() });
    return { folderId, versionOf: there?.state === 'ready' ? there : undefined };
  }

  async function create(account: Account, request: CreateUploadRequest, idempotencyKey?: string): Promise<Upload> {
    const found = await capabilities();
    const file = newUpload(account, request, await findPlace(account, request), { ...options, found });
    const added = await files.add(file, {
      onConflict: request.onConflict === 'refuse' ? 'refuse' : 'keep-both',
      idempotency:
        idempotencyKey === undefined
          ? undefined
          : {
              key: idempotencyKey,
              requestHash: createHash('sha256')
                .update(JSON.stringify([account.userId, request]))
                .digest('hex'),
              expiresAtMs: file.createdAtMs + limits.idempotencyLifeMs,
            },
    });
    // The row comes first: whatever fails from here on, the row's review finds and ends.
    await bucket.prepare();
    return render(await ensureMultipart(added));
  }

  return {
    create,

    createAll: async (account, requests, idempotencyKey) => {
      const results: (Upload | FilesError)[] = [];
      const waiting = requests.entries();
      const lanes = Array.from({ length: Math.min(batchLanes, requests.length) }, async () => {
        for (const [index, request] of waiting) {
          const key = idempotencyKey === undefined ? undefined : `${idempotencyKey}/${index}`;
          try {
            results[index] = await create(account, request, key);
          } catch (error) {
            if (!isFilesError(error)) throw error;
            results[index] = error;
          }
        }
      });
      await Promise.all(lanes);
      return results;
    },

    copy: async (account, fileId, { name, folderId, onConflict = 'keep-both' }) => {
      const source = await files.current({ tenantId: account.tenantId, id: fileId });
      if (source === undefined || shelfOf(source) === 'none') {
        throw new FilesError('not-found', { detail: `There is no file ${fileId}.` });
      }
      if (source.state !== 'ready') {
        throw new FilesError('wrong-state', {
          detail: `Only a file that is ready can be copied; this one is ${source.state}.`,
        });
      }
      const wanted = {
        name: name ?? source.name,
        sizeBytes: source.sizeBytes,
        folderId: folderId ?? source.folderId,
        onConflict,
      };
      const place = await findPlace(account, wanted);
      const found = await capabilities();
      const copy = newCopy(account, source, { ...place, name: wanted.name }, { ...options, found });
      const added = await files.add(copy, {
        onConflict: onConflict === 'refuse' ? 'refuse' : 'keep-both',
        jobs: [{ kind: 'copy', dueAtMs: clock() }],
      });
      options.onJob();
      return render(added);
    },

    list: async (tenantId, { cursor, limit = defaultPageSize }, userId) => {
      const rows = await files.list({
        tenantId,
        shelf: 'uploads',
        userId,
        sort: 'createdAt',
        descending: true,
        limit: limit + 1,
        after: cursor === undefined ? undefined : readPlace(cursor, '-createdAt'),
      });
      const page = rows.slice(0, limit);
      const last = page.at(-1);
      const more = rows.length > limit && last !== undefined;
      return {
        uploads: await show(page),
        ...(more ? { nextCursor: writePlace(files.placeOf(last, 'createdAt'), '-createdAt') } : {}),
      };
    },

    get: async (tenantId, id) => render(await find(tenantId, id)),

    listParts: async (tenantId, id) => {
      const file = await find(tenantId, id);
      if (file.strategy !== 'multipart' || !isUploading(file)) throw wrongState(file, 'list the parts of');
      if (file.multipartUploadId === null) return [];
      const parts = await bucket.listParts(arrivalKey(file), file.multipartUploadId);
      if (parts !== undefined) {
        if (file.state === 'pending' && parts.length > 0) await mover.move(file, { kind: 'parts-seen' });
        return parts.map(({ partNumber, sizeBytes, etag }) => ({ partNumber, sizeBytes, etag }));
      }
      throw wrongState(await reconcile(file, options), 'list the parts of');
    },

    signParts: async (tenantId, id, { partNumbers, checksums = {} }) => {
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
      requireChecksums(file.announcedAlgorithm, checksums);
      const found = file.announcedAlgorithm === null ? undefined : await capabilities();
      await reserveSigning(file, clock() + ends);
      return [...new Set(partNumbers)].map((partNumber) => {
        const value = checksums[String(partNumber)] ?? null;
        const checksum = found === undefined ? undefined : checksumHeader(file, value, found);
        return signer.signPart({
          key: arrivalKey(file),
          uploadId,
          partNumber,
          sizeBytes: partSize(file.sizeBytes, partSizeBytes, partNumber),
          lifeMs: ends,
          ...(checksum === undefined ? {} : { checksum }),
        });
      });
    },

    complete: async (tenantId, id) => {
      const file = await completeUpload(await find(tenantId, id), options);
      if (['aborted', 'expired', 'purging', 'purged'].includes(file.state)) throw wrongState(file, 'complete');
      return (await show([file]))[0] ?? unreachable();
    },

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

/** Throws `invalid-request` for a value that is none of the algorithm that was announced. */
function requireChecksums(algorithm: AnnouncedAlgorithm | null, checksums: Readonly<Record<string, string>>): void {
  for (const [partNumber, value] of Object.entries(checksums)) {
    if (algorithm !== null && isChecksum(algorithm, value)) continue;
    throw new FilesError('invalid-request', {
      detail:
        algorithm === null
          ? 'Checksums of parts came, but the upload announced no algorithm.'
          : `The checksum of part ${partNumber} is not a ${algorithm} in base64.`,
    });
  }
}

function wrongState(file: FileRecord, what: string): FilesError {
  const why = file.reason === null ? '' : ` ${file.reason}`;
  return new FilesError('wrong-state', {
    detail: `One cannot ${what} an upload of strategy ${file.strategy} that is ${file.state}.${why}`,
  });
}

function unreachable(): never {
  throw new Error('One row was given, and none came back.');
}

function uploadOf(file: FileRecord, folder: readonly string[], request?: SignedRequest): Upload {
  return {
    id: file.id,
    fileId: file.lineId,
    name: file.name,
    folderId: file.folderId,
    folder,
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
