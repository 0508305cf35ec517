// Upload sessions: made, signed, completed, given up. The row is committed before anything is signed (design §6, invariant 3),
// and no byte of a file passes through here.

import { createHash } from 'node:crypto';
import type {
  CopyFileRequest,
  CreateUploadRequest,
  SignedPart,
  SignedRequest,
  Upload,
  UploadedPart,
  UploadList,
} from '@stowage/contract';
import type { Bucket } from './bucket/bucket.ts';
import type { UrlSigner } from './bucket/sign-urls.ts';
import { completeUpload } from './complete-upload.ts';
import type { Account, FileTable, FolderTable } from './database/database.ts';
import type { FileKeys } from './file-key.ts';
import { type FileRecord, isoDate, shelfOf } from './file-record.ts';
import { FilesError } from './files-error.ts';
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
  /** Makes a file of the bytes of another, which the bucket copies. Throws `not-found`, `wrong-state`, `name-taken`, `quota-exceeded`. */
  copy(account: Account, fileId: string, request: CopyFileRequest): Promise<Upload>;
  list(tenantId: string, query: { readonly cursor?: string; readonly limit?: number }): Promise<UploadList>;
  /** The upload as the row has it; with a fresh request where one PUT is still to be sent. */
  get(tenantId: string, id: string): Promise<Upload>;
  listParts(tenantId: string, id: string): Promise<readonly UploadedPart[]>;
  signParts(tenantId: string, id: string, partNumbers: readonly number[]): Promise<readonly SignedPart[]>;
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
  /** Told that a job was written. */
  readonly onJob: () => void;
}

const defaultPageSize = 50;

export function openUploads(options: UploadsOptions): Uploads {
  const { bucket, files, folders, mover, signer, limits, clock } = options;

  async function find(tenantId: string, id: string): Promise<FileRecord> {
    const file = await files.get({ tenantId, id });
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
    return (await show([file], request))[0] ?? unreachable();
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

  return {
    create: async (account, request, idempotencyKey) => {
      const file = newUpload(account, request, await findPlace(account, request), options);
      const added = await files.add(file, {
        onConflict: request.onConflict === 'refuse' ? 'refuse' : 'keep-both',
        idempotency:
          idempotencyKey === undefined
            ? undefined
            : {
                key: idempotencyKey,
                requestHash: createHash('sha256').update(JSON.stringify(request)).digest('hex'),
                expiresAtMs: file.createdAtMs + limits.idempotencyLifeMs,
              },
      });
      // The row comes first: whatever fails from here on, the row's review finds and ends.
      await bucket.prepare();
      return render(await ensureMultipart(added));
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
      const copy = newCopy(account, source, { ...place, name: wanted.name }, options);
      const added = await files.add(copy, {
        onConflict: onConflict === 'refuse' ? 'refuse' : 'keep-both',
        jobs: [{ kind: 'copy', dueAtMs: clock() }],
      });
      options.onJob();
      return render(added);
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
        uploads: await show(page),
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
