// A row for tests: an upload just announced, with what a test says put over it.

import type { FileRecord } from '../file-record.ts';

export function aFile(over: Partial<FileRecord> = {}): FileRecord {
  return {
    id: '01J00000000000000000000000',
    tenantId: 'main',
    userId: 'owner',
    name: 'a.txt',
    folder: [],
    declaredType: 'text/plain',
    contentType: 'text/plain',
    sizeBytes: 1,
    state: 'pending',
    fence: 1,
    reason: null,
    strategy: 'put',
    partSizeBytes: null,
    partCount: null,
    objectKey: 'files/main/owner/text/01J00000000000000000000000.0',
    multipartUploadId: null,
    objectEtag: null,
    objectVersionId: null,
    checksumAlgorithm: null,
    checksumValue: null,
    scanPolicy: null,
    previews: [],
    width: null,
    height: null,
    createdAtMs: 1_700_000_000_000,
    updatedAtMs: 1_700_000_000_000,
    modifiedAtMs: null,
    uploadExpiresAtMs: 1_700_086_400_000,
    signedUntilMs: 0,
    reviewAtMs: null,
    trashedAtMs: null,
    purgeAtMs: null,
    ...over,
  };
}
