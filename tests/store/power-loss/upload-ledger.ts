// The uploads that a store must hold, as part of the model: which are open, with which parts, and which may be gone.

import type { MultipartUpload, Part } from '@stowage/store';
import type { Body } from './contents.ts';

export interface KnownPart {
  readonly body: Body;
  readonly etag: string;
}

interface PartAccount {
  /** As acknowledged. */
  known: KnownPart | undefined;
  /** Puts of this part that were not answered. */
  readonly pending: Set<KnownPart>;
}

export interface UploadAccount {
  /** Its creation; the upload names it as its initiator, and the object that comes of it in its metadata. */
  readonly operation: number;
  readonly bucket: string;
  readonly key: string;
  /** As acknowledged. */
  upload: MultipartUpload | undefined;
  status: 'creating' | 'open' | 'gone';
  readonly parts: Map<number, PartAccount>;
  completing: boolean;
  aborting: boolean;
  /** Its bucket was being deleted meanwhile: it may be gone with it. */
  doubtful: boolean;
  /** A client is at work on it. */
  taken: boolean;
}

export class UploadLedger {
  readonly #uploads = new Map<number, UploadAccount>();

  begin(operation: number, bucket: string, key: string): UploadAccount {
    const upload: UploadAccount = {
      operation,
      bucket,
      key,
      upload: undefined,
      status: 'creating',
      parts: new Map(),
      completing: false,
      aborting: false,
      doubtful: false,
      taken: true,
    };
    this.#uploads.set(operation, upload);
    return upload;
  }

  forget({ operation }: UploadAccount): void {
    this.#uploads.delete(operation);
  }

  get all(): readonly UploadAccount[] {
    return [...this.#uploads.values()];
  }

  find(operation: number): UploadAccount | undefined {
    return this.#uploads.get(operation);
  }

  /** An open upload that nobody works on. */
  findIdle(): UploadAccount | undefined {
    return this.all.find(({ status, taken }) => status === 'open' && !taken);
  }

  /** A bucket may be about to go, and its uploads with it. */
  doubt(bucket: string): void {
    for (const upload of this.#uploads.values()) if (upload.bucket === bucket) upload.doubtful = true;
  }

  /** Those that were there before the deletion began went with it; of later ones it is not known. */
  bucketIsGone(bucket: string): void {
    for (const upload of this.#uploads.values()) {
      if (upload.bucket !== bucket) continue;
      if (upload.doubtful && upload.status === 'open') upload.status = 'gone';
      else upload.doubtful = true;
    }
  }

  partOf(upload: UploadAccount, partNumber: number): PartAccount {
    let part = upload.parts.get(partNumber);
    if (part === undefined) {
      part = { known: undefined, pending: new Set() };
      upload.parts.set(partNumber, part);
    }
    return part;
  }

  /** Answers what is wrong with an upload that recovery shows. */
  faultOf(found: MultipartUpload, parts: readonly Part[]): string | undefined {
    const upload = this.#uploads.get(Number(found.initiator));
    if (upload === undefined || upload.bucket !== found.bucket || upload.key !== found.key) return 'was never begun';
    if (upload.status === 'gone') return 'was ended, and is there';
    for (const [partNumber, { known, pending }] of upload.parts) {
      const etag = parts.find((part) => part.partNumber === partNumber)?.etag;
      if (etag === known?.etag || [...pending].some((put) => put.etag === etag)) continue;
      return `has part ${partNumber} with ETag ${etag}, and ${known?.etag} was acknowledged`;
    }
    const unknown = parts.find(({ partNumber }) => !upload.parts.has(partNumber));
    return unknown === undefined ? undefined : `has part ${unknown.partNumber}, which was never put`;
  }

  /** Whether an upload that recovery does not show may be missing. */
  mayBeMissing({ status, aborting, completing, doubtful }: UploadAccount): boolean {
    return status !== 'open' || aborting || completing || doubtful;
  }

  /** After a recovery that was judged: these are the open uploads. */
  adopt(found: readonly { readonly upload: MultipartUpload; readonly parts: readonly Part[] }[]): void {
    const earlier = new Map(this.#uploads);
    this.#uploads.clear();
    for (const { upload, parts } of found) {
      const operation = Number(upload.initiator);
      const account = this.begin(operation, upload.bucket, upload.key);
      account.upload = upload;
      account.status = 'open';
      account.taken = false;
      for (const { partNumber, etag } of parts) {
        const before = earlier.get(operation)?.parts.get(partNumber);
        const body = [before?.known, ...(before?.pending ?? [])].find((put) => put?.etag === etag)?.body;
        if (body !== undefined) account.parts.set(partNumber, { known: { body, etag }, pending: new Set() });
      }
    }
  }
}
