// Upload sessions: made, shown, completed, given up. The row is committed before anything is signed (design §6, invariant 3),
// which sign-upload.ts does; no byte of a file passes through here.

import { createHash } from 'node:crypto';
import type {
  CopyFileRequest,
  CreateUploadRequest,
  SignedPart,
  SignedRequest,
  SignPartsRequest,
  Upload,
  UploadedPart,
  UploadList,
} from '@stowage/contract';
import type { Account } from '../database/account-tables.ts';
import type { IdempotencyKey } from '../database/database.ts';
import type { FileKeys } from '../file-key.ts';
import { arrivalKey, type FileRecord, isoDate, type Seal, shelfOf } from '../file-record.ts';
import { FilesError, isFilesError } from '../files-error.ts';
import { type FileMover, maxMoveAttempts } from '../lifecycle/move-file.ts';
import { isUploading, reconcile } from '../lifecycle/reconcile.ts';
import type { Policies } from '../policies.ts';
import { readPlace, writePlace } from '../tree/list-cursor.ts';
import { completeUpload } from './complete-upload.ts';
import { newCopy, newUpload } from './new-upload.ts';
import { openUploadSigning, type UploadSigningOptions } from './sign-upload.ts';
import { findPlace, type UploadPlaceOptions } from './upload-place.ts';
import { wrongState } from './wrong-state.ts';

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

interface UploadsOptions extends UploadSigningOptions, UploadPlaceOptions {
  readonly mover: FileMover;
  readonly keys: FileKeys;
  readonly policies: Policies;
  readonly newId: () => string;
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
  const { bucket, files, folders, mover, policies, limits, clock, capabilities } = options;
  const signing = openUploadSigning(options);

  async function find(tenantId: string, id: string): Promise<FileRecord> {
    const file = await files.get({ tenantId, id });
    if (file === undefined) throw new FilesError('not-found', { detail: `There is no upload ${id}.` });
    return file;
  }

  async function render(given: FileRecord): Promise<Upload> {
    const { file, request } = await signing.whole(given);
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

  async function create(account: Account, request: CreateUploadRequest, idempotencyKey?: string): Promise<Upload> {
    const { tenantId, userId } = account;
    const nowMs = clock();
    const idempotency: IdempotencyKey | undefined =
      idempotencyKey === undefined
        ? undefined
        : {
            key: idempotencyKey,
            requestHash: createHash('sha256')
              .update(JSON.stringify([userId, request]))
              .digest('hex'),
            expiresAtMs: nowMs + limits.idempotencyLifeMs,
          };
    // Before all else: what the first request found may be gone by now, and a repeated one makes nothing, not even a folder.
    const known = idempotency === undefined ? undefined : await files.repeated({ tenantId, ...idempotency, nowMs });
    const added = known ?? (await add(account, request, idempotency));
    // The row comes first: whatever fails from here on, the row's review finds and ends.
    await bucket.prepare();
    return render(await signing.begin(added));
  }

  async function add(
    account: Account,
    request: CreateUploadRequest,
    idempotency: IdempotencyKey | undefined,
  ): Promise<FileRecord> {
    const found = await capabilities();
    const file = newUpload(account, request, await findPlace(account, request, options), { ...options, found });
    return files.add(file, {
      userQuotaBytes: policies.of(file.category).userQuotaBytes,
      onConflict: request.onConflict === 'refuse' ? 'refuse' : 'keep-both',
      idempotency,
    });
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
      const place = await findPlace(account, wanted, options);
      const found = await capabilities();
      const copy = newCopy(account, source, { ...place, name: wanted.name }, { ...options, found });
      const added = await files.add(copy, {
        userQuotaBytes: policies.of(copy.category).userQuotaBytes,
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

    signParts: async (tenantId, id, request) => signing.parts(await find(tenantId, id), request),

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
