// What the contract suites and the store's own tests put into a store, and how they look at it.

import type {
  CompletedPart,
  CompleteUpload,
  MultipartUpload,
  ObjectAttributes,
  ObjectStore,
  ObjectVersion,
  Part,
  Precondition,
  StagedBody,
} from '../object-store.ts';

/** Opens an empty store for one test. `close` closes it and removes what it left. */
export type OpenStoreUnderTest = (clock: () => number) => Promise<StoreUnderTest>;

export interface StoreUnderTest {
  readonly store: ObjectStore;
  close(): Promise<void>;
}

export const plainAttributes: ObjectAttributes = {
  systemMetadata: { 'content-type': 'text/plain' },
  userMetadata: {},
  storageClass: 'STANDARD',
  owner: 'owner-1',
};

/** Too large for the journal: a blob of several pieces, and no whole number of blocks. */
export const largeSizeBytes: number = 1_600_017;

/** Bytes that differ by seed and by position, so that a wrong offset cannot go unseen. */
export function patternBytes(sizeBytes: number, seed = 0): Buffer {
  const bytes = Buffer.allocUnsafe(sizeBytes);
  let state = (seed * 2654435761 + 1) >>> 0;
  for (let at = 0; at < sizeBytes; at += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

export async function stage(
  store: ObjectStore,
  bytes: Uint8Array,
  { known = true, bucket }: { readonly known?: boolean; readonly bucket?: string } = {},
): Promise<StagedBody> {
  const writer = store.stageBody({
    ...(bucket === undefined ? {} : { bucket }),
    ...(known ? { sizeBytes: bytes.length } : {}),
    maxSizeBytes: 1024 ** 3,
    digests: ['MD5', 'CRC32'],
  });
  for (let at = 0; at < bytes.length; at += 100_000) await writer.write(bytes.subarray(at, at + 100_000));
  return writer.finish();
}

function digestHex(body: StagedBody): string {
  return Buffer.from(body.digests.get('MD5') ?? []).toString('hex');
}

function digestBase64(body: StagedBody): string {
  return Buffer.from(body.digests.get('CRC32') ?? []).toString('base64');
}

interface PutOptions {
  readonly bucket?: string;
  readonly precondition?: Precondition;
  readonly attributes?: Partial<ObjectAttributes>;
  readonly known?: boolean;
}

export async function put(
  store: ObjectStore,
  key: string,
  content: Uint8Array | string,
  options: PutOptions = {},
): Promise<ObjectVersion> {
  const { bucket = 'bucket', known = true } = options;
  const body = await stage(store, Buffer.from(content), { known, bucket });
  return store.putObject({
    bucket,
    key,
    body,
    etag: digestHex(body),
    attributes: { ...plainAttributes, ...options.attributes },
    checksum: { algorithm: 'CRC32', type: 'FULL_OBJECT', value: digestBase64(body) },
    ...(options.precondition === undefined ? {} : { precondition: options.precondition }),
  });
}

export async function putPart(
  store: ObjectStore,
  upload: MultipartUpload,
  partNumber: number,
  content: Uint8Array,
): Promise<Part> {
  const { bucket, key, uploadId } = upload;
  const body = await stage(store, content, { bucket });
  return store.putPart({
    bucket,
    key,
    uploadId,
    partNumber,
    body,
    etag: digestHex(body),
    checksum: digestBase64(body),
  });
}

/** What completes an upload of these parts, of any size. */
export function completionOf({ bucket, key, uploadId }: MultipartUpload, parts: readonly Part[]): CompleteUpload {
  return { bucket, key, uploadId, parts: named(parts), minPartSizeBytes: 1, maxSizeBytes: 1024 ** 3 };
}

export function named(parts: readonly Part[]): CompletedPart[] {
  return parts.map(({ partNumber, etag }) => ({ partNumber, etag }));
}

/** The bytes of an object through `chunks`, or `undefined` when there is none. */
export async function readAll(store: ObjectStore, key: string, bucket = 'bucket'): Promise<Buffer | undefined> {
  const open = store.openObject({ bucket, key });
  if (open === undefined) return undefined;
  try {
    const chunks: Uint8Array[] = [];
    for await (const chunk of open.chunks()) chunks.push(chunk);
    return Buffer.concat(chunks);
  } finally {
    open.close();
  }
}

export async function createBucket(store: ObjectStore, name = 'bucket'): Promise<void> {
  await store.createBucket({ name, owner: 'owner-1', region: 'eu-central-1' });
}

/** All keys of a bucket, by pages of `limit`. */
export function listKeys(store: ObjectStore, limit = 1000, bucket = 'bucket'): string[] {
  const keys: string[] = [];
  let after: string | undefined = '';
  while (after !== undefined) {
    const page: ReturnType<ObjectStore['listObjects']> = store.listObjects({
      bucket,
      prefix: '',
      delimiter: '',
      after,
      limit,
    });
    keys.push(...page.objects.map(({ key }) => key));
    after = page.next;
  }
  return keys;
}

/** What `assert.rejects` and `assert.throws` hold a StoreError against. */
export function storeError(code: string): { name: string; code: string } {
  return { name: 'StoreError', code };
}
