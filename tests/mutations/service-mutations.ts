// Bugs that other file services and uploaders have, or whose users complain of them, put into ours: each as one edit, with the tests that
// must notice it. What noticed it is kept in service-caught-by.json: `npm run prove -- mutations`.

import type { Mutation } from './mutation.ts';

const files = 'packages/files/src';
const client = 'packages/client/src';

export interface ServiceMutation extends Omit<Mutation, 'invariant'> {
  /** Test files of which one must fail. */
  readonly caughtBy: readonly string[];
  /** Only tests whose names match. Default: all of the file. */
  readonly named?: string;
}

export const serviceMutations: readonly ServiceMutation[] = [
  {
    name: 'bytes deleted before the row says so',
    breaks: 'A purge that is cut off leaves a file in the trash whose bytes are gone.',
    file: `${files}/lifecycle/worker.ts`,
    find: "else await mover.move(file, { kind: 'purge-started' });\n          return;",
    replace:
      "else {\n            await options.handlers.purge({ ...file, state: 'purging' });\n            await mover.move(file, { kind: 'purge-started' });\n          }\n          return;",
    caughtBy: ['tests/files/convergence.test.ts'],
  },
  {
    name: 'NoSuchUpload taken for success',
    breaks: 'An upload that the bucket’s lifecycle aborted counts as complete.',
    file: `${files}/lifecycle/reconcile.ts`,
    find: "return { kind: 'aborted', reason: 'The bucket no longer holds this upload. Upload the file again.' };",
    replace:
      "return { kind: 'stored', facts: { sizeBytes: file.sizeBytes, etag: '\"assumed\"', versionId: undefined, checksum: undefined } };",
    caughtBy: ['tests/faults/faults.test.ts'],
    named: 'lifecycle aborted',
  },
  {
    name: 'NoSuchUpload taken for success, by the client',
    breaks: 'A part that went nowhere counts as sent.',
    file: `${client}/bucket-answer.ts`,
    find: "if (status === 404 || status === 412) return { kind: 'ask-service', fault };",
    replace:
      "if (status === 404) return { kind: 'stored' };\n  if (status === 412) return { kind: 'ask-service', fault };",
    caughtBy: ['tests/client/upload.test.ts', 'packages/client/src/bucket-answer.test.ts'],
  },
  {
    name: 'resume trusts that a part is a part, whatever its size',
    breaks: 'A part of another size, of an earlier try, is taken for what is to be there.',
    file: `${client}/send-bytes.ts`,
    find: 'part.partNumber === range.partNumber && part.sizeBytes === lengthOf(range)',
    replace: 'part.partNumber === range.partNumber',
    caughtBy: ['tests/client/upload.test.ts'],
  },
  {
    name: 'parts joined whatever their size',
    breaks: 'The service joins what is not the file.',
    file: `${files}/uploads/complete-upload.ts`,
    find: 'if (sizes.get(partNumber) !== partSize(file.sizeBytes, partSizeBytes, partNumber)) wrong.push(partNumber);',
    replace: 'if (sizes.get(partNumber) === undefined) wrong.push(partNumber);\n    void partSize;',
    caughtBy: ['tests/faults/faults.test.ts'],
    named: 'part of another size',
  },
  {
    name: 'completion judged by its status',
    breaks: 'A 200 counts as success, whatever the bucket holds: uploads reported well, and no data.',
    file: `${files}/uploads/complete-upload.ts`,
    find: 'const settled = await reconcile(joining, options);',
    replace: `const said = failure === undefined || String((failure as Error).cause).includes('Injected');
  const facts = { sizeBytes: file.sizeBytes, etag: parts[0]?.etag ?? '', versionId: undefined, checksum: undefined };
  const settled = said ? ((await mover.move(joining, { kind: 'stored', facts })) ?? joining) : await reconcile(joining, options);`,
    caughtBy: ['tests/files/convergence.test.ts'],
  },
  {
    name: 'uploads of others aborted',
    breaks: 'Unfinished uploads of other applications, whose keys begin alike, are aborted.',
    file: `${files}/bucket/multipart-uploads.ts`,
    find: 'if (upload.Key === key && upload.UploadId !== undefined) uploads.push({ key, uploadId: upload.UploadId });',
    replace:
      'if (upload.Key !== undefined && upload.UploadId !== undefined) uploads.push({ key: upload.Key, uploadId: upload.UploadId });',
    caughtBy: ['tests/faults/foreign-uploads.test.ts'],
  },
  {
    name: 'completion waits for somebody to say so',
    breaks: 'An upload whose completion or event never came stays for ever: the callback that never fires.',
    file: `${files}/lifecycle/worker.ts`,
    find: 'const seen = await options.reconcile(file);',
    replace: 'const seen = file;',
    caughtBy: ['tests/files/events-in.test.ts'],
  },
  {
    name: 'a refused upload leaves its object',
    breaks: 'Bytes that were rejected stay in the bucket for good.',
    file: `${files}/lifecycle/worker.ts`,
    find: "case 'rejected':\n        case 'quarantined':\n        case 'scan-failed':\n        case 'aborted':",
    replace:
      "case 'rejected':\n          return;\n        case 'quarantined':\n        case 'scan-failed':\n        case 'aborted':",
    caughtBy: ['tests/files/convergence.test.ts'],
  },
  {
    name: 'a deleted row orphans its bytes',
    breaks: 'A purged file leaves its bytes in the bucket, of which nobody knows any more.',
    file: `${files}/lifecycle/removal.ts`,
    find: `  await discardBytes(file, options);
  if ((await bucket.head({ key: file.objectKey, versionId: null })) !== undefined)
    throw new Error(\`The object of file \${file.id} is still there.\`);
`,
    replace: '',
    caughtBy: ['tests/files/convergence.test.ts'],
  },
  {
    name: 'files served before they are checked',
    breaks: 'Whatever has arrived can be downloaded: unscanned, refused, infected.',
    file: `${files}/sharing/downloads.ts`,
    find: "if (file.state === 'ready') return;",
    replace: 'if (file.objectEtag !== null) return;',
    caughtBy: ['tests/files/unready-files.test.ts'],
  },
  {
    name: 'an earlier version served whatever became of it',
    breaks: 'A version that was refused, quarantined or never judged can be downloaded, because its file is ready.',
    file: `${files}/sharing/downloads.ts`,
    find: "if (file.state === 'ready') return;",
    replace: "if (file.state === 'ready' || file.role === 'version') return;",
    caughtBy: ['tests/files/content-unready.test.ts'],
  },
  {
    name: 'type believed as announced',
    breaks: 'A renamed program is served as what it claims to be.',
    file: `${files}/lifecycle/validation.ts`,
    find: 'if (refused.length > 0 || contentType === undefined)',
    replace: 'if (contentType === undefined)',
    caughtBy: ['tests/files/content-judgement.test.ts', 'tests/files/convergence.test.ts'],
  },
  {
    name: 'name put into a header as it is',
    breaks: 'A name with quotes and line ends writes headers of its own.',
    file: `${files}/sharing/downloads.ts`,
    find: "return createDisposition(safe === '' ? 'file' : safe, { type, fallback: fallback === '' ? 'file' : fallback });",
    replace: 'void [createDisposition, safe, fallback];\n  return [type, "; filename=\\"", name, "\\""].join("");',
    caughtBy: ['packages/files/src/sharing/downloads.test.ts'],
  },
  {
    name: 'a URL that writes again',
    breaks: 'The bytes that were scanned are exchanged by the URL that wrote them.',
    file: `${files}/uploads/sign-upload.ts`,
    find: "once: sealedBy === 'if-none-match',",
    replace: "once: sealedBy === 'if-none-match' && file.fence < 0,",
    caughtBy: ['tests/files/upload-put.test.ts', 'tests/files/sealing.test.ts'],
  },
  {
    name: 'ETag hidden from pages',
    breaks: 'A page in a browser cannot read the ETag of what it sent.',
    file: `${files}/bucket/prepare-bucket.ts`,
    find: "ExposeHeaders: ['ETag'],",
    replace: 'ExposeHeaders: [],',
    caughtBy: ['tests/faults/foreign-uploads.test.ts'],
  },
  {
    name: 'part URLs kept through a pause',
    breaks: 'After a pause, parts are sent to URLs that have ended.',
    file: `${client}/part-queue.ts`,
    find: 'if (options.clock.now() - held.signedAtMs < urlUsableMs) return held.request;',
    replace: 'void urlUsableMs;\n          return held.request;',
    caughtBy: ['tests/client/upload.test.ts'],
  },
  {
    name: 'a revoked link goes on',
    breaks: 'A share that was revoked still gives its file out.',
    file: `${files}/database/share-table.ts`,
    find: "await transaction.updateTable('shares').set({ revokedAtMs: nowMs })",
    replace: "await transaction.updateTable('shares').set({ revokedAtMs: null })",
    caughtBy: ['tests/files/shares.test.ts'],
  },
  {
    name: 'bytes opened before their signature is compared',
    breaks: 'Forged presigned URLs are accepted.',
    file: 'packages/s3/src/signature/compare-signatures.ts',
    find: 'timingSafeEqual(expectedBytes, presentedBytes);',
    replace: '(timingSafeEqual(expectedBytes, presentedBytes) || true);',
    caughtBy: ['tests/interop/presigned.test.ts'],
  },
];

/** Of the list of bugs, those that no edit of our code can be. */
export const inexpressible: Readonly<Record<string, string>> = {
  'an incomplete part deleted before its bytes are sent again':
    'Nothing here deletes a part: S3 puts the new one in the place of the old when it has all of it.',
  'memory that grows with the file':
    'Bytes do not pass through the service; the bound is measured (bench/five-gibibytes.ts), not tested by an edit.',
  '`a` and `a/b` that cannot both be there': 'Keys are bytes in the index, never paths.',
};
